"""Compares JSON values as PostgreSQL compares them, from their texts."""

import json
from decimal import Decimal


def differ(first: bytes | None, second: bytes | None) -> bool:
    """Whether two JSON texts mean different values: the store writes lists and numbers in its own way. None is the text
    of a member that does not exist."""
    if first == second:
        return False
    if first is None or second is None or first[:1] == b'"' or second[:1] == b'"':
        return True
    return not are_equal(parse_exactly(first), parse_exactly(second))


def parse_exactly(text: bytes) -> object:
    """JSON with every number to its last digit: a float would call two long numbers equal, and refuse 1e400."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def are_equal(first: object, second: object) -> bool:
    """`true` is not 1, but 1.0 is."""
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(are_equal, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(are_equal(first[name], second[name]) for name in first)
    return first == second
