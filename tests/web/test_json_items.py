"""JSON bodies become JSON Lines while they arrive: digit for digit, in little memory; a refused one leaves nothing."""

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request

from app.errors import Refused
from app.formats import open_reader
from app.formats.records import Dialect
from app.imports.examine import Upload
from app.runtime import Runtime
from app.web.bodies.json_items import receive_items, receive_members
from app.web.bodies.json_stream import UNREADABLE, JsonText, read_document, read_list
from tests.support.http import stored_files

SIZES = [1, 7, 65_536]
JSON = {"content-type": "application/json"}
Message = dict[str, Any]


def as_sent(item: dict[str, object]) -> object:
    return item


def arriving(body: bytes, size: int) -> Iterator[Message]:
    for at in range(0, len(body), size):
        yield {"type": "http.request", "body": body[at : at + size], "more_body": True}
    yield {"type": "http.request", "body": b"", "more_body": False}


def request_of(messages: Iterator[Message], headers: Mapping[str, str] = JSON) -> Request:
    async def receive() -> Message:
        if (message := next(messages, None)) is None:
            await asyncio.Event().wait()
        assert message is not None
        return message

    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": pairs}, receive)


def limited(runtime: Runtime, **settings: object) -> Runtime:
    return replace(runtime, settings=runtime.settings.model_copy(update=settings))


@dataclass(frozen=True, slots=True)
class Rows:
    """What the engine's own reader finds: records by row, the code and text of those that it cannot read by row."""

    good: dict[int, object]
    bad: dict[int, tuple[str, str]]


def rows_of(runtime: Runtime, upload: Upload) -> Rows:
    with upload.writer.open_for_reading() as file:
        reader = open_reader(file, Dialect("jsonl"), runtime.limits)
        batch = reader.read(reader.first, max_rows=10_000, max_bytes=10_000_000)
        assert batch.last
        assert reader.count() == len(batch.records) + len(batch.unreadable)
    bad = {each.row: (each.code, each.raw) for each in batch.unreadable}
    return Rows(dict(zip(batch.rows, batch.records, strict=True)), bad)


async def rows(
    runtime: Runtime,
    body: bytes,
    *,
    size: int = 65_536,
    translate: Callable[[dict[str, object]], object] = as_sent,
    headers: Mapping[str, str] = JSON,
) -> Rows:
    async with receive_items(request_of(arriving(body, size), headers), runtime, translate=translate) as upload:
        return rows_of(runtime, upload)


def cut(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


def read(*pieces: bytes) -> list[tuple[object, str]]:
    """The items of a list, each as value and as sent, that comes to the parser in these pieces; those of a request
    are large."""
    text, found = JsonText(longest=1_000_000), list[tuple[object, str]]()
    reading = read_document(text, read_list(text, lambda value, raw: found.append((value, raw))))
    for piece in pieces:
        text.feed(piece)
        next(reading)
    text.feed(b"", last=True)
    assert next(reading, "ended") == "ended"
    return found


async def members(runtime: Runtime, body: bytes, *, size: int = 65_536) -> tuple[Rows, dict[str, object]]:
    request = request_of(arriving(body, size))
    reception = receive_members(request, runtime, items="source_ids", item="source_id", other="metadata")
    async with reception as (upload, metadata):
        return rows_of(runtime, upload), metadata


async def refusal(
    runtime: Runtime, messages: Iterator[Message], headers: Mapping[str, str] = JSON, *, of: str = "items"
) -> Refused:
    """The refusal of the body, after a look that nothing of it stayed."""
    before = stored_files(runtime)
    request = request_of(messages, headers)
    if of == "items":
        reception: Any = receive_items(request, runtime, translate=as_sent)
    else:
        reception = receive_members(request, runtime, items="source_ids", item="source_id", other="metadata")
    with pytest.raises(Refused) as refused:
        async with reception:
            raise AssertionError("it was accepted")
    assert stored_files(runtime) == before
    return refused.value


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("digits", ["1.10", "12345678901234567890123", "1e400", "-0", "0.0000001", "1E+5", "9" * 5_000])
async def test_numbers_keep_their_digits(runtime: Runtime, digits: str, size: int) -> None:
    found = await rows(runtime, f'[{{"n":{digits},"in":[{digits}]}}]'.encode(), size=size)
    number = Decimal(digits)
    assert found == Rows({1: {"n": number, "in": [number]}}, {})
    kept = found.good[1]
    assert isinstance(kept, dict)
    assert Decimal(kept["n"]).as_tuple() == number.as_tuple()


@pytest.mark.parametrize("size", [*SIZES, 2, 3])
async def test_texts_come_through_whatever_the_borders_of_the_chunks(runtime: Runtime, size: int) -> None:
    texts = ["", "Ñandú 日本 👩‍🚀", 'a"b\\c/\b\f\n\r\t', "\u2028\x7f", "[{,}]:", "\\u0041"]
    item = {"text": texts, "inner": {"é": {"a": [[], {}, None, True, False]}}, "": ""}
    for ascii_only in (True, False):
        body = json.dumps([item, {"b": "2"}], ensure_ascii=ascii_only, indent=1).encode()
        assert await rows(runtime, body, size=size) == Rows({1: item, 2: {"b": "2"}}, {})


@pytest.mark.parametrize("size", SIZES)
async def test_blanks_line_ends_and_a_byte_order_mark_mean_nothing(runtime: Runtime, size: int) -> None:
    body = b'\xef\xbb\xbf \r\n[ {\r\n"a"\t:\n1 } , { } ,[\r\n1 ,\n2\n]\n]\r\n \n'
    found = await rows(runtime, body, size=size)
    assert found.good == {1: {"a": Decimal(1)}, 2: {}}
    assert found.bad == {3: ("json_error", "[  1 , 2 ]")}


@pytest.mark.parametrize("size", SIZES)
async def test_an_item_that_is_no_object_fails_its_row_alone(runtime: Runtime, size: int) -> None:
    body = b'[{"a":"1"},1,"x\\n",null,true,[1],-1.5e+3,{"b":"2"},12]'
    found = await rows(runtime, body, size=size)
    assert found.good == {1: {"a": "1"}, 8: {"b": "2"}}
    texts = ["1", '"x\\n"', "null", "true", "[1]", "-1.5e+3", "12"]
    assert found.bad == {row: ("json_error", raw) for row, raw in zip([2, 3, 4, 5, 6, 7, 9], texts, strict=True)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("item", "code"),
    [
        (r'{"a":"\u0000"}', "invalid_character"),
        (r'{"a":"\ud800"}', "invalid_character"),
        (r'{"a":{"\udc00x":"1"}}', "invalid_character"),
        ('{"a":' + "[" * 40 + "]" * 40 + "}", "too_deep"),
        ('{"a":' + "[" * 900 + "]" * 900 + "}", "too_deep"),
        ('{"a":1,"b":2,"a":3}', "duplicate_member"),
        ('{"a":{"b":1,"b":1}}', "duplicate_member"),
        ('{"a":1e9999999999999999999}', "json_error"),
    ],
)
async def test_an_object_that_cannot_be_stored_fails_its_row_alone(
    runtime: Runtime, item: str, code: str, size: int
) -> None:
    found = await rows(runtime, f'[{{"x":"1"}},{item},{{"y":"2"}}]'.encode(), size=size)
    assert found.good == {1: {"x": "1"}, 3: {"y": "2"}}
    assert [(row, code_) for row, (code_, _) in found.bad.items()] == [(2, code)]


async def test_items_are_translated_and_what_is_no_record_then_fails_its_row(runtime: Runtime) -> None:
    def translate(item: dict[str, object]) -> object:
        inner = item["a"]
        return {f"a.{name}": value for name, value in inner.items()} if isinstance(inner, dict) else "a is no object"

    found = await rows(runtime, b'[{"a":{"n":1.50,"t":"x"}},{"a":1}]', translate=translate)
    assert found.good == {1: {"a.n": Decimal("1.50"), "a.t": "x"}}
    assert found.bad == {2: ("json_error", '"a is no object"')}


@pytest.mark.parametrize("size", SIZES)
async def test_size_and_digest_are_of_the_bytes_as_sent(runtime: Runtime, size: int) -> None:
    body = '[{"é": 1.0} ]\n'.encode()
    async with receive_items(request_of(arriving(body, size)), runtime, translate=as_sent) as upload:
        assert (upload.size, upload.sha256, upload.encoding) == (len(body), sha256(body).hexdigest(), "utf-8")
        assert upload.file_name is None


async def test_only_what_is_committed_stays(runtime: Runtime) -> None:
    before = stored_files(runtime)
    async with receive_items(request_of(arriving(b"[{}]", 9)), runtime, translate=as_sent):
        assert len(stored_files(runtime)) == len(before) + 1
    assert stored_files(runtime) == before
    async with receive_items(request_of(arriving(b"[{}]", 9)), runtime, translate=as_sent) as upload:
        name = upload.writer.commit()
    assert {Path(each).name for each in stored_files(runtime) - before} == {name}
    runtime.blobs.delete(name)


BROKEN = [
    b"",
    b" \n",
    b"[",
    b"[1",
    b"[1,",
    b"[1,]",
    b"[,1]",
    b"[1 2]",
    b'[{"a":1}',
    b'[{"a":1,}]',
    b'[{"a" 1}]',
    b"[{1:2}]",
    b"[{'a':1}]",
    b'["a',
    b'["\\x"]',
    b'["\\u12"]',
    b'["a\nb"]',
    b"[tru]",
    b"[truer]",
    b"[01]",
    b"[1.]",
    b"[1e]",
    b"[-]",
    b"[+1]",
    b"[.5]",
    b"[NaN]",
    b'[{"a":-Infinity}]',
    b"[1]x",
    b"[1]\xc3",
    b"[1,2" + b" " * 70_000 + b"3]",
    b"[1][2]",
    b"[1]]",
    b"]",
    b"hello",
    b"\x1f\x8b\x08\x00",
    b'["\xff"]',
    b'["\xc3',
    b'["\xed\xa0\x80"]',
    "[1]".encode("utf-16"),
]


@pytest.mark.parametrize("body", BROKEN)
async def test_what_is_not_json_is_refused(runtime: Runtime, body: bytes) -> None:
    refused = await refusal(runtime, arriving(body, 65_536))
    assert refused.code == "bad_request"
    assert refused.detail.startswith("The body is not JSON: ")


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("body", BROKEN)
def test_what_is_not_json_is_refused_wherever_it_is_cut_apart(body: bytes, size: int) -> None:
    with pytest.raises(Refused) as refused:
        read(*cut(body, size))
    assert refused.value.code == "bad_request"


async def test_a_mistake_is_found_where_it_stands_and_before_the_rest_has_come(runtime: Runtime) -> None:
    def messages() -> Iterator[Message]:
        yield {"type": "http.request", "body": b'[{"a":1},{"a":oops},' + b'{"a":1},' * 10_000, "more_body": True}
        raise AssertionError("the rest was read")

    refused = await refusal(runtime, messages())
    assert refused.detail == "The body is not JSON: Expecting value at character 15"
    refused = await refusal(runtime, arriving('["é",'.encode() + b" " * 100_000 + b"]", 999))
    assert refused.detail == "The body is not JSON: Expecting value at character 100006"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"a":1}', "Payload should be array"),
        (b'"text"', "Payload should be array"),
        (b" 12", "Payload should be array"),
        (b"null", "Payload should be array"),
        (b"[]", "Payload should NOT have fewer than 1 items"),
        (b"\n[ ]\n", "Payload should NOT have fewer than 1 items"),
    ],
)
async def test_what_is_no_list_of_items_is_refused_as_invalid(
    runtime: Runtime, body: bytes, told: str, size: int
) -> None:
    refused = await refusal(runtime, arriving(body, size))
    assert (refused.code, refused.detail) == ("invalid", told)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/csv"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/jsonx"},
        JSON | {"content-encoding": "br"},
        JSON | {"content-encoding": "gzip, gzip"},
        JSON | {"content-encoding": "identity, br"},
    ],
)
async def test_another_type_or_an_unknown_coding_is_refused_unread(runtime: Runtime, headers: dict[str, str]) -> None:
    assert (await refusal(runtime, iter(()), headers)).code == "unsupported_media_type"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": ""},
        {"content-type": "Application/JSON; charset=utf-8"},
        {"content-type": "application/vnd.customers+json"},
        JSON | {"content-encoding": "Identity"},
    ],
)
async def test_json_by_any_of_its_names_is_taken(runtime: Runtime, headers: dict[str, str]) -> None:
    assert (await rows(runtime, b'[{"a":"1"}]', headers=headers)).good == {1: {"a": "1"}}


async def test_one_byte_too_many_is_refused_by_its_length_or_as_it_comes(runtime: Runtime) -> None:
    small = limited(runtime, max_file_bytes=1_000)
    fits = b"[" + b" " * 997 + b"1]"
    for size in (1, 999, 1_000):
        assert (await rows(small, fits, size=size, headers=JSON | {"content-length": "1000"})).bad
        refused = await refusal(small, arriving(b" " + fits, size))
        assert (refused.code, refused.detail) == ("too_large", "The file is larger than 1,000 bytes")
    early = await refusal(small, iter(()), JSON | {"content-length": "1001"})
    assert (early.code, early.detail) == ("too_large", "The file is larger than 1,000 bytes")


async def test_a_client_that_goes_away_or_falls_silent_is_refused(runtime: Runtime) -> None:
    begun = list(arriving(b"[" + b'{"a":1},' * 20_000, 65_536))[:-1]
    gone = await refusal(runtime, iter([*begun, {"type": "http.disconnect"}]))
    assert (gone.code, gone.detail) == ("bad_request", "The client aborted the upload")
    silent = await refusal(limited(runtime, upload_idle_seconds=0.05), iter(begun))
    assert (silent.code, silent.detail) == ("bad_request", "The client sent nothing for 0.05 seconds")


@pytest.mark.parametrize("size", [7, 1_000, 65_536])
async def test_an_item_may_be_as_long_as_a_row_and_no_longer(runtime: Runtime, size: int) -> None:
    small = limited(runtime, max_record_bytes=2_000)

    def item(length: int) -> bytes:
        return b'{"a":"' + b"x" * (length - 8) + b'"}'

    for body in (b"[%b]", b"[{},%b ,{}]", b'[%b,{"b":"%b"}]' % (b"%b", b"y" * 500)):
        assert not (await rows(small, body % item(2_000), size=size)).bad
        refused = await refusal(small, arriving(body % item(2_001), size))
        assert refused.code == "invalid"
        assert "longer than 2,000 characters" in refused.detail


async def test_an_item_that_never_ends_is_refused_long_before_the_body_ends(runtime: Runtime) -> None:
    small = limited(runtime, max_record_bytes=100_000)
    sent = 0

    def messages(start: bytes, unit: bytes) -> Iterator[Message]:
        nonlocal sent
        yield {"type": "http.request", "body": start, "more_body": True}
        while True:
            sent += len(unit) * 1_000
            yield {"type": "http.request", "body": unit * 1_000, "more_body": True}

    for start, unit in [(b'["', b"x"), (b"[1", b"1"), (b'[{"a":[', b"1,"), (b'[{},{"', b"\\n"), (b"[{", b" ")]:
        sent = 0
        assert (await refusal(small, messages(start, unit))).code == "invalid"
        assert sent < 300_000


@pytest.mark.parametrize("unit", [b"[", b'{"a":', b'[{"":'])
async def test_a_body_of_brackets_alone_is_refused(runtime: Runtime, unit: bytes) -> None:
    refused = await refusal(runtime, arriving(b"[" + unit * 1_000_000, 65_536))
    assert refused.code == "invalid"
    assert "nested too deep" in refused.detail


def random_value(dice: random.Random, depth: int = 0) -> object:
    kind = dice.randrange(7 if depth < 4 else 5)
    if kind == 0:
        return "".join(dice.choice('aé"\\\n/\u2028👩[]{},: 0') for _ in range(dice.randrange(12)))
    if kind in (1, 2):
        return dice.choice([0, -1, 10**25, 1.5, 1e300, -2.5e-7, 7, 123456])
    if kind in (3, 4):
        return dice.choice([None, True, False, "", "x"])
    values = [random_value(dice, depth + 1) for _ in range(dice.randrange(5))]
    return values if kind == 5 else {f"k{n}\n": value for n, value in enumerate(values)}


def test_lists_read_as_json_reads_them_wherever_they_are_cut_apart() -> None:
    dice = random.Random(20_260)
    for _ in range(400):
        items = [random_value(dice) for _ in range(dice.randrange(1, 8))]
        body = json.dumps(items, ensure_ascii=dice.random() < 0.5, indent=dice.choice([None, 1])).encode()
        found = read(*cut(body, dice.randrange(1, 12)))
        assert [value for value, _ in found] == json.loads(body, parse_int=Decimal, parse_float=Decimal)
        assert [json.loads(raw) for _, raw in found] == items
        # Any beginning of it is broken off.
        with pytest.raises(Refused) as refused:
            read(*cut(body[: dice.randrange(len(body))], dice.randrange(1, 12)))
        assert refused.value.code == "bad_request"


@pytest.mark.parametrize(
    "item",
    [
        "-1.50e+07",
        "1E400",
        "12345678901234567890123",
        r'"\ud83d\ude00\u00e9\\\""',
        '"👩‍🚀é\u2028"',
        r'{"\u0061\n":[-0.1,true,false,null,{"b":[]}]}',
        '{"a":1e9999999999999999999,"b":"x","b":2}',
    ],
)
@pytest.mark.parametrize("tail", ["]", " , 1]", ",2.5]"])
def test_an_item_is_the_same_wherever_it_is_cut_in_two(item: str, tail: str) -> None:
    body = f"[{item}{tail}".encode()
    expected = read(body)
    assert expected[0] == (UNREADABLE if item.startswith('{"a"') else json.loads(item, parse_float=Decimal), item)
    for at in range(len(body)):
        assert read(body[:at], body[at:]) == expected


async def test_a_border_of_the_large_pieces_may_fall_anywhere(runtime: Runtime) -> None:
    body = '[{"n":-1.50e+07,"t":"é\\ud83d\\ude00"},{"n":1,"n":2},12.5,{"x":{"y":[1,null]}}]'.encode()
    expected = await rows(runtime, body)
    assert (len(expected.good), len(expected.bad)) == (2, 2)
    for at in range(len(body)):
        assert await rows(runtime, b" " * (65_536 - at) + body) == expected


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("first", ["source_ids", "metadata"])
async def test_ids_and_metadata_come_in_any_order_among_strangers(runtime: Runtime, first: str, size: int) -> None:
    ids, metadata = '"source_ids" : ["a","é\\u00e9",\n"b"]', '"metadata":{"n":1.10,"in":{"x":[12345678901234567890]}}'
    ordered = [ids, metadata] if first == "source_ids" else [metadata, ids]
    strangers = ['"other":[{"source_ids":1}]', '"x":null', '"y":12.5']
    body = "{" + strangers[0] + "," + ", ".join([ordered[0], strangers[1], ordered[1], strangers[2]]) + "}\n"
    found, beside = await members(runtime, body.encode(), size=size)
    assert found == Rows({1: {"source_id": "a"}, 2: {"source_id": "éé"}, 3: {"source_id": "b"}}, {})
    assert beside == {"n": Decimal("1.10"), "in": {"x": [Decimal(12345678901234567890)]}}
    assert str(beside["n"]) == "1.10"


async def test_an_id_that_is_no_text_is_handed_on_for_its_row_to_fail(runtime: Runtime) -> None:
    body = rb'{"source_ids":[1.10,null,{"source_id":"x"},["y"],"\ud800",{"a":1,"a":2},"ok"],"metadata":{}}'
    found, beside = await members(runtime, body)
    given = {1: Decimal("1.10"), 2: None, 3: {"source_id": "x"}, 4: ["y"], 7: "ok"}
    assert found.good == {row: {"source_id": value} for row, value in given.items()}
    assert {row: code for row, (code, _) in found.bad.items()} == {5: "invalid_character", 6: "duplicate_member"}
    assert beside == {}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{}", "Payload should have required property 'source_ids'"),
        ('{"metadata":{}}', "Payload should have required property 'source_ids'"),
        ('{"source_ids":["a"]}', "Payload should have required property 'metadata'"),
        ('["a"]', "Payload should be object"),
        ("7", "Payload should be object"),
        ('{"source_ids":"a","metadata":{}}', "Property .source_ids should be array"),
        ('{"source_ids":{},"metadata":{}}', "Property .source_ids should be array"),
        ('{"source_ids":[],"metadata":{}}', "Property .source_ids should NOT have fewer than 1 items"),
        ('{"source_ids":["a"],"metadata":[]}', "Property .metadata should be object"),
        ('{"metadata":null,"source_ids":["a"]}', "Property .metadata should be object"),
        ('{"source_ids":["a"],"metadata":{},"source_ids":["b"]}', "Property .source_ids should NOT be given twice"),
        ('{"metadata":{},"metadata":{},"source_ids":["b"]}', "Property .metadata should NOT be given twice"),
    ],
)
async def test_ids_and_metadata_must_both_be_there_and_fit(runtime: Runtime, body: str, told: str, size: int) -> None:
    refused = await refusal(runtime, arriving(body.encode(), size), of="members")
    assert (refused.code, refused.detail) == ("invalid", told)


@pytest.mark.parametrize(
    "value",
    [
        r'{"a":"\u0000"}',
        r'{"\ud800":1}',
        '{"a":1,"a":2}',
        '{"a":1e400000}',
        '{"a":1e9999999999999999999}',
        '{"a":' + "[" * 32 + "]" * 32 + "}",
    ],
)
async def test_metadata_that_cannot_be_stored_is_refused(runtime: Runtime, value: str) -> None:
    refused = await refusal(runtime, arriving(f'{{"metadata":{value},"source_ids":["a"]}}'.encode(), 50), of="members")
    assert refused.code == "invalid"
    assert refused.detail.startswith("Property .metadata cannot be stored")


async def test_metadata_is_bounded_like_a_row(runtime: Runtime) -> None:
    small = limited(runtime, max_columns=3, max_record_bytes=1_000)
    for value in ('{"a":1,"b":2,"c":3,"d":4}', '{"a":"' + "x" * 1_000 + '"}'):
        refused = await refusal(small, arriving(f'{{"metadata":{value},"source_ids":["a"]}}'.encode(), 9), of="members")
        assert refused.code == "invalid"
    fits = '{"a":1,"b":2,"c":"' + "x" * 900 + '"}'
    assert (await members(small, f'{{"metadata":{fits},"source_ids":["a"]}}'.encode()))[0].good


@pytest.mark.parametrize(
    "body",
    [
        b'{"source_ids":["a"],"metadata":{}',
        b'{"source_ids":["a"],"metadata":{},}',
        b'{"source_ids":["a"] "metadata":{}}',
        b'{"source_ids":["a"],1:{}}',
        b'{"source_ids":["a"],"metadata"}',
        b'{"source_ids":["a"],"metadata":{}}{',
        b'{,"source_ids":["a"],"metadata":{}}',
        b'{"source_ids":oops',
        b"",
    ],
)
@pytest.mark.parametrize("size", SIZES)
async def test_ids_and_metadata_that_are_not_json_are_refused(runtime: Runtime, body: bytes, size: int) -> None:
    assert (await refusal(runtime, arriving(body, size), of="members")).code == "bad_request"


# Reads a body of up to 50 MB as it comes, keeps nothing, and tells how the memory grew, how many items there were and
# how it ended.
MEASURE = """
import json, re, sys
from pathlib import Path
from app.errors import Refused
from app.web.bodies.json_stream import JsonText, read_document, read_list
# Of this process alone: ru_maxrss would begin with what the one that started it holds.
memory = lambda of: int(re.search(of + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
start, unit, count, end = json.load(sys.stdin)
block = max(1, 65_536 // len(unit))
text, items = JsonText(longest=1_048_576), 0
def take(value, raw):
    global items
    items += 1
before, ended = memory("VmRSS"), "accepted"
reading = read_document(text, read_list(text, take))
try:
    for piece in [start] + [unit * block] * (count // block) + [unit * (count % block) + end]:
        text.feed(piece.encode())
        next(reading)
    text.feed(b"", last=True)
    next(reading, None)
except Refused as refused:
    ended = refused.code
print(memory("VmHWM") - before, items, ended)
"""
CUSTOMER = json.dumps(
    {
        "source_id": "C-1001",
        "email": "ana.ruiz@example.com",
        "address": {"line_1": "Calle Mayor 1", "city": "Madrid", "country": "España"},
        "metadata": {"lang": "es", "vip": True, "points": 1.5},
    }
)


@pytest.mark.parametrize(
    ("start", "unit", "count", "end", "items", "ended", "room"),
    [
        ("[", CUSTOMER + ",", 50_000_000 // len(CUSTOMER), "{}]", 50_000_000 // len(CUSTOMER) + 1, "accepted", 15),
        pytest.param("[", "1,", 1_000_000, "1]", 1_000_001, "accepted", 15, marks=pytest.mark.slow),
        pytest.param("[", " ", 50_000_000, "1]", 1, "accepted", 15, marks=pytest.mark.slow),
        pytest.param("[1]", " ", 50_000_000, "", 1, "accepted", 15, marks=pytest.mark.slow),
        ("[", "[", 1_000_000, "", 0, "invalid", 15),
        ('["', "👩", 10_000_000, "", 0, "invalid", 30),
        pytest.param("[", '{"a":"' + "é" * 500_000 + '"},', 50, "1]", 51, "accepted", 30, marks=pytest.mark.slow),
        # Half a million numbers are in a row of a megabyte.
        ('[{"a":[', "1,", 25_000_000, "", 0, "invalid", 100),
    ],
    ids=[
        "customers",
        "a million numbers",
        "blanks",
        "blanks behind the end",
        "brackets",
        "an endless text of wide characters",
        "long texts",
        "an endless list of numbers",
    ],
)
def test_a_body_of_fifty_megabytes_takes_little_memory(
    *, start: str, unit: str, count: int, end: str, items: int, ended: str, room: int
) -> None:
    body = json.dumps([start, unit, count, end])
    command = [sys.executable, "-c", MEASURE]
    told = subprocess.run(
        command, input=body, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    megabytes, found, how = told.stdout.split()
    assert (int(found), how) == (items, ended)
    assert int(megabytes) < room
