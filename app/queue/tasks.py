"""The tasks that are enqueued: one per kind of work and step. A task carries the id of a run and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

# What bounds how many tasks one worker process works on at a time: the CPU, or the servers at the other end.
Lane = Literal["slice", "transfer"]


@dataclass(frozen=True, slots=True)
class Task:
    """`name` is the name of ARQ's function. It must stay stable: workers of two releases share one queue."""

    name: str
    lane: Lane


# (kind, step) of a run -> the task that takes it on.
TASKS: Final[Mapping[tuple[str, str], Task]] = {
    ("import", "fetch"): Task("import_fetch", "transfer"),
    ("import", "write"): Task("import_slice", "slice"),
    ("import", "apply"): Task("import_apply", "transfer"),  # as below
    # It takes as long as a transfer, and PostgreSQL does the work.
    ("export", "write"): Task("export_write", "transfer"),
    ("export", "deliver"): Task("export_deliver", "transfer"),
    ("sync", "fetch"): Task("sync_fetch", "transfer"),
    ("sync", "write"): Task("sync_slice", "slice"),
    ("sync", "apply"): Task("sync_apply", "transfer"),  # as above
    ("sync", "afterwards"): Task("sync_afterwards", "transfer"),
    ("undo", "write"): Task("undo_write", "transfer"),  # PostgreSQL does the work
    ("sync", "images"): Task("sync_images", "transfer"),  # another process does the work
}
