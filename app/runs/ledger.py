"""Stores which rows of a batch made new records, for imports that tell the fate of every row."""

import zlib
from collections.abc import Iterable

import msgspec

decode = msgspec.json.Decoder(list[int]).decode


def pack(rows: Iterable[int]) -> bytes:
    """Numbers of rows as they are stored with their batch."""
    return zlib.compress(msgspec.json.encode(sorted(rows)), 3)


def unpack(packed: bytes) -> frozenset[int]:
    return frozenset(decode(zlib.decompress(packed)))
