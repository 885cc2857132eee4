"""Nested JSON as a flat object whose names are paths (`variants.0.sku`), and back."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from app.problems import RowError, row_error, shorten

MAX_PATH_LENGTH = 255  # characters, as of a heading: a path may be repeated in every record
MAX_POSITION = 999  # in a list, as in the path of a family
MAX_MEMBERS = 2_000  # of one object, as many as a file may have columns
MAX_SEGMENTS = 32  # of a path that are put together again; what follows stays one name
DIGITS = 9  # of a position; whatever is longer is a name

_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read_members(data: str) -> dict[str, msgspec.Raw]:
    """The members of a stored record as JSON text, so that no number becomes a float. Whatever is stored can be read:
    what is no object, or is nested deeper than anything can follow, has no members."""
    try:
        return _decode_members(data)
    except (msgspec.ValidationError, RecursionError):
        return {}


class _CannotFlatten(Exception):
    """Carries a RowError and never leaves this module."""

    def __init__(self, error: RowError) -> None:
        super().__init__(error)
        self.error = error


def flatten(nested: Mapping[str, object]) -> dict[str, object] | RowError:
    """The leaves by their paths, or what is wrong with the object. An empty object or list is a leaf."""
    if not any(isinstance(value, dict | list) for value in nested.values()):
        return dict(nested)
    try:
        return _collect_leaves(nested)
    except _CannotFlatten as refused:
        return refused.error


def _collect_leaves(nested: Mapping[str, object]) -> dict[str, object]:
    leaves: dict[str, object] = {}
    for path, value in _walk(nested, ""):
        if path in leaves:
            raise _CannotFlatten(row_error("duplicate_member", name=shorten(path)))
        if len(leaves) == MAX_MEMBERS:
            raise _CannotFlatten(row_error("too_many_members", limit=MAX_MEMBERS))
        leaves[path] = value
    return leaves


def _walk(value: Mapping[str, object] | list[object], prefix: str) -> Iterator[tuple[str, object]]:
    """The reader has already limited how deep the object is nested, so recursion is safe."""
    for name, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
        path = f"{prefix}{name}"
        if len(path) > MAX_PATH_LENGTH:
            raise _CannotFlatten(row_error("path_too_long", path=path[:40], limit=MAX_PATH_LENGTH))
        if inner and isinstance(inner, dict | list):
            yield from _walk(inner, f"{path}.")
        else:
            yield path, inner


def nest(flat: Mapping[str, object], lists: tuple[str, ...]) -> dict[str, Any]:
    """The reverse of `flatten`. What is inside one of `lists` becomes a list by its positions, with None in the gaps;
    elsewhere positions become a list only if none is missing. If a path has both a value and members, the members win.
    Takes any path, however long."""
    top: dict[str, Any] = {}
    for path, value in flat.items():
        *outer, last = path.split(".", MAX_SEGMENTS)
        parent = top
        for segment in outer:
            present = parent.get(segment)
            parent[segment] = present if isinstance(present, _Node) else _Node()
            parent = parent[segment]
        if not isinstance(parent.get(last), _Node):
            parent[last] = value
    return {name: _build(value, name in lists) for name, value in top.items()}


class _Node(dict[str, Any]):
    """Members by name, or by their position written as text. A class of its own: no value of a record is one."""


def _build(value: Any, is_list: bool) -> Any:
    if not isinstance(value, _Node):
        return value
    members = {name: _build(inner, False) for name, inner in value.items()}
    positions = (name for name in members if len(name) <= DIGITS and name.isascii() and name.isdigit())
    items = {int(name): members[name] for name in positions}
    if is_list:
        # Only positions can be stored here. Should a record hold anything else, reading it must not break.
        return [items.get(position) for position in range(max(filter(_is_position, items), default=-1) + 1)]
    if len(items) == len(members) and sorted(map(str, items)) == sorted(members) and _has_no_gap(items):
        return [items[position] for position in range(len(items))]
    return members


def _is_position(number: int) -> bool:
    return number <= MAX_POSITION


def _has_no_gap(items: Mapping[int, object]) -> bool:
    return max(items) == len(items) - 1
