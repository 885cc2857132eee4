"""The kinds of work that a run can be, what differs between them, and the steps they go through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.runtime import Runtime

MOST_SYNCS: Final = 10  # open in one account, each of another item sync
MOST_EXPORTS: Final = 5  # open in one account: each may hold a snapshot of the database


class Kind(StrEnum):
    """Of the wire. `Rules.word` is the word for people."""

    IMPORT = "import"
    EXPORT = "export"
    SYNC = "sync"
    UNDO = "undo"


class Step(StrEnum):
    """What a run is doing, or will do as soon as a worker claims it."""

    FETCH = "fetch"  # its file is still on another server
    WRITE = "write"  # its rows are written to the records or its overlay, or the records to its file
    APPLY = "apply"  # its overlay is applied to the records
    IMAGES = "images"  # the pictures of its items are taken in
    AFTERWARDS = "afterwards"  # all is written, and the files that were read are moved or deleted at their server
    DELIVER = "deliver"  # its file is complete, and goes to other servers


@dataclass(frozen=True, slots=True)
class Rules:
    """How a kind of run is accepted and shown. `numbered` runs write records and take the next number of the account's
    order of writes: for every record the run with the higher number wins."""

    word: str  # for people
    read_scope: str  # that a key needs to see runs of this kind: app.auth.keys
    write_scope: str  # to resume and cancel them
    numbered: bool
    queue_limit: Callable[[Runtime], int]  # runs of this kind that may be open in one account
    queue_full: str  # why one more is refused; {limit}


KINDS: Final[Mapping[Kind, Rules]] = {
    Kind.IMPORT: Rules(
        word="import",
        read_scope="imports:read",
        write_scope="imports:write",
        numbered=True,
        queue_limit=lambda runtime: runtime.settings.queue_limit,
        queue_full="{limit} imports of this account are waiting, running or halted. Wait until one of them has ended",
    ),
    Kind.EXPORT: Rules(
        word="export",
        read_scope="exports:read",
        write_scope="exports:write",
        numbered=False,
        queue_limit=lambda _runtime: MOST_EXPORTS,
        queue_full="{limit} exports of this account are waiting or running. Wait until one of them has ended",
    ),
    Kind.SYNC: Rules(
        word="item sync",
        read_scope="syncs:read",
        write_scope="syncs:write",
        numbered=True,
        queue_limit=lambda _runtime: MOST_SYNCS,
        queue_full="{limit} item syncs of this account are waiting, running or halted. Wait until one has ended",
    ),
    Kind.UNDO: Rules(
        word="undo",
        read_scope="imports:read",
        write_scope="imports:write",
        numbered=True,
        queue_limit=lambda runtime: runtime.settings.queue_limit,
        queue_full="{limit} undos of this account are waiting or running. Wait until one of them has ended",
    ),
}
