"""Stores which rows of a batch made new records, and which were left alone, for imports that tell of every row."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Ledger:
    """Numbers of rows; the others that did not fail changed a record, or found it as they want it."""

    new: frozenset[int] = frozenset()
    left: frozenset[int] = frozenset()  # an import accepted later had spoken already


decode = msgspec.json.Decoder(tuple[list[int], list[int]]).decode


def pack(new: Iterable[int], left: Iterable[int]) -> bytes:
    """As it is stored with the batch."""
    return zlib.compress(msgspec.json.encode((sorted(new), sorted(left))), 3)


def unpack(packed: bytes | None) -> Ledger:
    if packed is None:
        return Ledger()
    new, left = decode(zlib.decompress(packed))
    return Ledger(frozenset(new), frozenset(left))
