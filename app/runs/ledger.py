"""Stores which rows of a batch created records and which were superseded, for imports that report on every row."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Ledger:
    """Numbers of rows. A row that is in neither set, and has not failed, changed a record or left it unchanged."""

    created: frozenset[int] = frozenset()
    superseded: frozenset[int] = frozenset()  # an import that was accepted later had already written the record


decode = msgspec.json.Decoder(tuple[list[int], list[int]]).decode


def pack(created: Iterable[int], superseded: Iterable[int]) -> bytes:
    """The ledger as it is stored with the batch."""
    return zlib.compress(msgspec.json.encode((sorted(created), sorted(superseded))), 3)


def unpack(packed: bytes | None) -> Ledger:
    if packed is None:
        return Ledger()
    created, superseded = decode(zlib.decompress(packed))
    return Ledger(frozenset(created), frozenset(superseded))
