"""Stores what became of each row of a batch: one letter for a row, compressed, beside the counts of the batch.

Most batches have no letters, because their counts tell: all rows that did not fail were created, or all were updated.
Failed rows are told by their problems, so their letter counts for nothing.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a row: its outcome and, where rows have it for several reasons, the code of a warning."""

    outcome: str
    code: str = ""


FAILED: Final = Fate("failed")
UNKNOWN: Final = Fate("unknown")  # a release before 0.2 has only counted it
FATES: Final[Mapping[str, Fate]] = {
    "c": Fate("created"),
    "u": Fate("updated"),
    "n": Fate("unchanged"),
    "s": Fate("skipped"),  # there is a record already, which is not to be overwritten
    "d": Fate("skipped", "duplicate_key"),
    "o": Fate("skipped", "superseded"),
    "x": Fate("skipped", "deleted_meanwhile"),
    "h": Fate("skipped", "changed_meanwhile"),
    "r": Fate("remaining"),  # it is not written, because nothing of its run is
    "?": UNKNOWN,
}
LETTERS: Final[Mapping[Fate, int]] = {fate: ord(letter) for letter, fate in FATES.items()}
FATE_OF: Final[Mapping[int, Fate]] = {letter: fate for fate, letter in LETTERS.items()}
COUNTED: Final = ("created", "updated", "unchanged", "skipped")  # of the rows that did not fail
OUTCOMES: Final = (*COUNTED, "failed")

decode_lists = msgspec.json.Decoder(tuple[list[int], list[int]]).decode


def pack(letters: bytes) -> bytes:
    """Letters as they are stored with the batch: hardly a bit for each, at most a quarter of a byte as a rule."""
    return zlib.compress(letters, 1)


def unpack(batch: Mapping[Any, Any]) -> bytes:
    """The letters of all rows of a committed batch: a row of the table `batches`. Blocking."""
    if batch["outcomes"] is not None:
        stored: bytes = zlib.decompress(batch["outcomes"])
        return stored
    rows: int = sum(batch[name] for name in OUTCOMES)
    kinds = [name for name in COUNTED if batch[name]]
    if len(kinds) == 1:
        return bytes([LETTERS[Fate(kinds[0])]]) * rows
    letters = bytearray(b"?" * rows)
    if kinds and batch["created_rows"] is not None:
        unpack_lists(batch, letters)
    return bytes(letters)


def leave_out(batch: Mapping[Any, Any]) -> dict[str, Any]:
    """A committed batch of a run that has ended without writing what it had staged. Rows that failed have failed."""
    left = bytes([LETTERS[Fate("remaining")]]) * sum(batch[name] for name in OUTCOMES)
    return {**batch, **dict.fromkeys(COUNTED, 0), "outcomes": pack(left)}


def unpack_lists(batch: Mapping[Any, Any], letters: bytearray) -> None:
    """Of a batch that an older release has written for an import that tells which rows made records: whatever neither
    made one nor came too late is told as changed."""
    created, superseded = decode_lists(zlib.decompress(batch["created_rows"]))
    letters[:] = b"u" * len(letters)
    mark(letters, created, Fate("created"), first_row=batch["at_row"] + 1)
    mark(letters, superseded, Fate("skipped", "superseded"), first_row=batch["at_row"] + 1)


def mark(letters: bytearray, rows: Iterable[int], fate: Fate, *, first_row: int) -> None:
    letter = LETTERS[fate]
    for row in rows:
        letters[row - first_row] = letter


def pack_lists(created: Iterable[int], superseded: Iterable[int]) -> bytes:
    """Which rows made records and which came too late, as release 0.1 reads it."""
    return zlib.compress(msgspec.json.encode((sorted(created), sorted(superseded))), 3)
