"""Writes the list of the bad values of an import, and reads the cursors in it."""

import msgspec

from app.imports.corrections.values import FailedValue, FailedValues
from app.web.links import decode_cursor, encode_cursor, invalid_cursor

Rank = tuple[int, str, str, str]
read_rank = msgspec.json.Decoder(Rank).decode


def render_values(found: FailedValues, next_page: str | None) -> bytes:
    """Has the shape of `FailedValueList`."""
    links = {} if next_page is None else {"next": next_page}
    results = [render_value(each) for each in found.values]
    return msgspec.json.encode({"links": links, "results": results, "others": found.others, "atMost": found.at_most})


def render_value(found: FailedValue) -> dict[str, object]:
    value: dict[str, object] = {"column": found.column, "field": found.field, "code": found.code, "value": found.value}
    return value | {"count": found.count} | ({"cut": True} if found.cut else {})


def encode_rank(value: FailedValue) -> str:
    return encode_cursor(msgspec.json.encode(value.rank).decode())


def decode_rank(cursor: str | None) -> Rank | None:
    """The place of the last value that was seen. Raises Refused("invalid")."""
    text = decode_cursor(cursor)
    try:
        return None if text is None else read_rank(text)
    except msgspec.DecodeError:
        raise invalid_cursor("cursor") from None
