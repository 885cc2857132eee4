"""Beginnings of files that are made to be slow to understand: each costs a part of a second, whatever is in it."""

import json
import time
from contextlib import suppress
from functools import lru_cache

import pytest

from app.errors import Refused
from app.formats.records import Limits
from app.imports.plan import ReadOptions
from app.imports.preview import preview_file
from app.imports.preview_json import preview_to_json
from app.imports.sources.head import HEAD_BYTES, HeadReader
from app.resources.declare import parse_resource
from app.resources.schema import Resource

COLUMNS = 2_000
TYPES = ("decimal", "datetime")  # those whose cells are looked at most closely
CELL = 60_000


@lru_cache
def declare(type: str) -> Resource:
    fields = [{"id": "f0", "type": "text"}]
    fields += [{"id": f"f{number}", "type": type, "label": f"Label {number}"} for number in range(1, COLUMNS)]
    return parse_resource("wide", {"key": "f0", "fields": fields})


def delimited(headings: list[str], cell: str) -> bytes:
    row = ";".join([cell] * len(headings)) + "\n"
    head = ";".join(headings) + "\n"
    return (head + row * (1 + (HEAD_BYTES - len(head)) // len(row))).encode()


NAMED = [f"label {number}" for number in range(COLUMNS)]
UNKNOWN = [f"unknown heading number {number:05}" for number in range(COLUMNS)]
FEW = [f"label {number}" for number in range(1, 4)]
HEADS = {
    "dates": delimited(NAMED, "31/12/2026 10:00"),
    "days that may be two": delimited(NAMED, "1/2/2026"),
    "commas": delimited(NAMED, "1.234,50"),
    "unknown headings": delimited(UNKNOWN, "x@example.com"),
    "one row of many": delimited(NAMED, "1"),
    "long digits": delimited(FEW, "," + "1" * CELL + "x"),
    "long blanks": delimited(FEW, ",1" + " " * CELL + "x"),
    "many commas": delimited(FEW, ",123 " * (CELL // 5)),
    "a quote that is never closed": b'"' + b"\n" * HEAD_BYTES,
    "nothing but quotes": b'"' * (HEAD_BYTES + 1),
    "brackets": delimited(["(" * 250 + str(number) for number in range(1_000)], "1"),
    "other members in each object": b"".join(
        json.dumps({f"{number}-{member}": 1 for member in range(30)}).encode() + b"\n" for number in range(800)
    ),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_that_is_made_to_be_slow_costs_a_part_of_a_second(name: str) -> None:
    for field_type in TYPES:
        resource = declare(field_type)
        began = time.thread_time()
        reader = HeadReader(None, limit=52_428_800, ratio=200)
        reader.feed(HEADS[name])
        head, answer = reader.finish(None), ""
        with suppress(Refused):
            found = preview_file(head, resource, ReadOptions(), limits=Limits())
            answer = json.dumps(preview_to_json(found, "wide"), default=str)
        assert time.thread_time() - began < 2.0, (name, field_type)
        assert len(answer) < 4 * HEAD_BYTES + 1_000_000
