"""What can keep the servers of this machine from starting."""

from app.errors import SluiceError


class CannotStart(SluiceError):
    """A server cannot run here; the text says what to install or to change."""


class InUse(CannotStart):
    """The data folder belongs to another process that is alive."""


class NotRunning(SluiceError):
    """No instance runs on this data folder."""
