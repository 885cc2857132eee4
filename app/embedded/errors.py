"""Errors of the embedded servers and their data folder."""

from app.errors import TROUBLE, SluiceError


class StartFailed(SluiceError):
    """A server or a part cannot start; the message says what to install or to change."""

    exit_code = TROUBLE


class DataFolderInUse(StartFailed):
    """Another running process uses the data folder."""


class InstanceNotRunning(SluiceError):
    """No instance runs on the data folder."""
