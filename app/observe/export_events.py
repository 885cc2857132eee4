"""The log events of exports and their deliveries. What holds for all events is said in `events`."""

from dataclasses import dataclass
from typing import ClassVar

from app.observe.events import Event


@dataclass(frozen=True, slots=True)
class ExportWritten(Event):
    """The file of an export is complete and stored, with so many records, `seconds` after its worker began."""

    run_id: str
    account_id: int
    bytes: int
    records: int
    seconds: float


@dataclass(frozen=True, slots=True)
class OldSnapshotsEnded(Event):
    """So many connections of exports were ended because they had held a snapshot for longer than
    `SLUICE_EXPORT_SECONDS`: their workers were frozen."""

    level: ClassVar[str] = "warning"
    count: int


@dataclass(frozen=True, slots=True)
class FileDelivered(Event):
    """The file of an export has been delivered to a destination. `destination` is its number, from 0 on."""

    run_id: str
    account_id: int
    destination: int
    transport: str
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class DeliveryFailed(Event):
    """A try to deliver the file of an export has failed. `destination` is its number, from 0 on, `step` what failed,
    `tries` how many there were. `status` is `pending` if it is tried again, else `failed`."""

    level: ClassVar[str] = "warning"
    run_id: str
    account_id: int
    destination: int
    transport: str
    step: str
    tries: int
    status: str
