"""Nested JSON as a flat object with paths for names (`variants.0.sku`), and back."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.problems import PROBLEMS, shorten

LONGEST = 255  # characters of a path, as of a heading; it may stand in every record
MOST = 2_000  # members of one object, as columns of a file

Verdict = tuple[str, str]  # a code of PROBLEMS and its message


class _UnfitError(Exception):
    """Carries a verdict; it never leaves this module."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.verdict: Verdict = (code, PROBLEMS[code].format(**facts))


def flattened(nested: Mapping[str, object]) -> dict[str, object] | Verdict:
    """The leaves by their paths, an empty object or list is one; or what is wrong with the object."""
    if not any(isinstance(value, dict | list) for value in nested.values()):
        return dict(nested)
    try:
        return _gathered(nested)
    except _UnfitError as unfit:
        return unfit.verdict


def _gathered(nested: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for path, value in _leaves(nested, ""):
        if path in found:
            raise _UnfitError("duplicate_member", name=shorten(path))
        if len(found) == MOST:
            raise _UnfitError("too_many_members", limit=MOST)
        found[path] = value
    return found


def _leaves(value: Mapping[str, object] | list[object], before: str) -> Iterator[tuple[str, object]]:
    """As deep as the reader allows."""
    for name, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
        path = f"{before}{name}"
        if len(path) > LONGEST:
            raise _UnfitError("path_too_long", path=path[:40], limit=LONGEST)
        if inner and isinstance(inner, dict | list):
            yield from _leaves(inner, f"{path}.")
        else:
            yield path, inner


def nested(flat: Mapping[str, object], lists: tuple[str, ...]) -> dict[str, Any]:
    """The reverse. What is inside `lists` is a list by its positions, gaps are None; inside anything else positions
    make a list when none is missing. Where a path has both a value and members, the members are shown."""
    top: dict[str, Any] = {}
    for path, value in flat.items():
        *outer, last = path.split(".")
        into = top
        for segment in outer:
            held = into.get(segment)
            into[segment] = held if isinstance(held, _Node) else _Node()
            into = into[segment]
        if not isinstance(into.get(last), _Node):
            into[last] = value
    return {name: _shaped(value, name in lists) for name, value in top.items()}


class _Node(dict[str, Any]):
    """Members by their names, or by the texts of their positions; no value of a record is one."""


def _shaped(value: Any, is_list: bool) -> Any:
    if not isinstance(value, _Node):
        return value
    inner = {name: _shaped(each, False) for name, each in value.items()}
    numbers = {int(name): each for name, each in inner.items() if name.isascii() and name.isdigit()}
    # Of the segments of a list none but positions can be stored.
    if is_list or (len(numbers) == len(inner) and sorted(map(str, numbers)) == sorted(inner) and _unbroken(numbers)):
        return [numbers.get(position) for position in range(max(numbers) + 1)]
    return inner


def _unbroken(numbers: Mapping[int, object]) -> bool:
    return max(numbers) == len(numbers) - 1
