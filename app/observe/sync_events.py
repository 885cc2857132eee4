"""The log events of item syncs. What holds for all events is said in `events`."""

from dataclasses import dataclass

from app.observe.events import Event


@dataclass(frozen=True, slots=True)
class SyncFilesFetched(Event):
    """All files of an item sync have been fetched and stored, after so many looks at its folders."""

    run_id: str
    account_id: int
    files: int
    bytes: int
    looks: int


@dataclass(frozen=True, slots=True)
class SyncImagesWritten(Event):
    """The pictures of an item sync have been taken in. `refused` files of its ZIP became no image."""

    run_id: str
    account_id: int
    added: int
    changed: int
    unchanged: int
    removed: int
    refused: int
