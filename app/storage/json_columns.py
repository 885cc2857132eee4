"""Reads the values of JSON columns, and others like them, as the types that they were written from."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def compile_reader(kind: type[T]) -> Callable[[Any], T]:
    """A function that reads a value as this type; it raises msgspec.ValidationError. To be compiled while a module is
    imported: msgspec works out what a type looks like when it first meets it, and if two threads do that at the same
    time the process dies of SIGSEGV (0.22; seen in a worker with two slices)."""
    msgspec.json.Decoder(kind)

    def read(value: Any) -> T:
        return msgspec.convert(value, kind)

    return read
