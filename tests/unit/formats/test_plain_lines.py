"""Lines of JSON that are parsed all at once give what they give one by one."""

from decimal import Decimal

import pytest

from app.formats.json_object import parse_object, parse_plain_objects

GOOD = b'{"a":1,"b":{"c":[2.50,"d"]}}\n'


def exact(value: object) -> object:
    """With the digits of every number, whatever its type."""
    if isinstance(value, dict):
        return {name: exact(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return list(map(exact, value))
    return f"number {value}" if type(value) in (int, Decimal) else value


@pytest.mark.parametrize(
    "line",
    [
        GOOD,
        '{"n":-1,"m":-0.50,"day":"2024-05-01","t":true,"z":null,"e":"é"}\n'.encode(),
        b' { "a" : [ ] , "b" : { } }\r\n',
        b'{"n":' + b"9" * 1_200 + b"}\n",
        b'{"n":1e-7,"m":1E+5,"k":0.0000001}\n',
    ],
)
def test_plain_lines_are_read_at_once(line: bytes) -> None:
    found = parse_plain_objects(GOOD + line, 32)
    assert found is not None
    assert list(map(exact, found)) == [exact(parse_object(each.decode(), 32)) for each in (GOOD, line)]


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":1,"a":2}',
        b'{"b":{"c":"x","c":"x"}}',
        b'{"a":-0}',
        b'{"a":-0,"b":0.0000001}',
        b'{"a":-0,"b":1e-7,"c":"E-"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'{"a":"\0"}',
        b'{"a":NaN}',
        b'{"a":1}{"b":2}',
        b"[1]",
        b"",
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"a":1e99999999999999999999}',
        b'{"a":' + b"[" * 32 + b"]" * 32 + b"}",
    ],
)
def test_a_line_that_needs_a_closer_look_gets_it(line: bytes) -> None:
    assert parse_plain_objects(GOOD + line + b"\n" + GOOD, 32) is None
