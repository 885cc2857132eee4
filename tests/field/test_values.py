"""What people type into requests and into cells: words for characters, charsets, codings, numbers, dates, addresses."""

import gzip
import zlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.resources.email import NOT_EMAIL, RESERVED_DOMAIN
from app.resources.field_types import BadCell, compile_cell, compile_value, normalize_key
from app.resources.numbers import NOT_DECIMAL
from app.resources.schema import Field
from app.resources.times import NOT_DATE, NOT_DATETIME
from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import PARTS, Account, post

FILES = Path(__file__).parent / "files"
TABS = b"_email\t_name\ntabs@example.com\tTabs\n"
SEMICOLONS = b"_email;_name\nsemi@example.com;Semi\n"


async def read_import(client: httpx.AsyncClient, account: Account, run_id: str) -> dict[str, Any]:
    body: dict[str, Any] = (await client.get(f"/imports/{run_id}", headers=account.headers)).json()
    return body


async def read_name(client: httpx.AsyncClient, account: Account, key: str) -> str:
    answer = await client.get(f"/records/contacts/{key}", headers=account.headers)
    assert answer.status_code == 200, answer.text
    name: str = answer.json()["data"]["_name"]
    return name


@pytest.mark.parametrize(
    ("word", "file"),
    [
        ("\\t", TABS),
        ("tab", TABS),
        ("TAB", TABS),
        ("\t", TABS),
        ("semicolon", SEMICOLONS),
        (" ; ", SEMICOLONS),
        ("comma", TABS.replace(b"\t", b",")),
        ("pipe", TABS.replace(b"\t", b"|")),
        ("Auto", SEMICOLONS),
    ],
)
async def test_a_delimiter_may_be_a_word(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, word: str, file: bytes
) -> None:
    answer = await post(client, an_account, file, parts={"delimiter": word})
    assert answer.status_code == 201, answer.text
    await finish(runtime, answer.json()["id"])

    found = await read_import(client, an_account, answer.json()["id"])
    assert (found["total"], found["created"]) == (1, 1)
    assert found["options"]["delimiter"] in (",", ";", "\t", "|")


async def test_a_connection_takes_the_same_words(client: httpx.AsyncClient, an_account: Account) -> None:
    connection = {"name": "web", "transport": "https", "host": "files.example.org"}
    made = await client.post("/connections", headers=an_account.headers, json=connection)
    path = f"/connections/{made.json()['id']}/imports"
    body = {"type": "contacts", "path": "/people.csv"}

    good = await client.post(path, headers=an_account.headers, json=body | {"delimiter": "tab"})
    bad = await client.post(path, headers=an_account.headers, json=body | {"delimiter": "colon"})

    assert good.status_code == 201, good.text
    run = await read_import(client, an_account, good.json()["results"][0]["importId"])
    assert run["options"]["delimiter"] == "\t"
    assert bad.json()["errors"] == [
        {"path": "delimiter", "reason": "`delimiter` must be one of comma, semicolon, tab, pipe and auto"}
    ]


async def test_a_delimiter_that_curl_dropped_is_explained(client: httpx.AsyncClient, an_account: Account) -> None:
    answer = await post(client, an_account, SEMICOLONS, parts={"delimiter": ""})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "path": "delimiter",
            "reason": "`delimiter` was sent empty. curl drops the semicolon of `-F 'delimiter=;'`: "
            "use `--form-string 'delimiter=;'`, or send the word `semicolon`",
        }
    ]


async def test_an_empty_part_is_an_absent_part(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    optional = ("format", "encoding", "blankCells", "duplicates", "unknownColumns", "confirmEmail", "connectionId")
    empty = dict.fromkeys((*optional, "path", "source", "nullMarker"), "")

    answer = await post(client, an_account, parts=empty)

    assert answer.status_code == 201, answer.text
    assert "nullMarker" not in answer.json()["options"]
    required = await post(client, an_account, parts={"type": "", "overrideExisting": ""})
    assert {each["path"]: each["reason"] for each in required.json()["errors"]} == {
        "type": "`type` is required, but was sent empty",
        "overrideExisting": "`overrideExisting` is required, but was sent empty",
    }


async def test_an_unquoted_name_in_a_quoted_boundary_is_read(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    """As .NET sends it."""
    texts = "".join(
        f"--b1\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n" for name, value in PARTS.items()
    )
    file = (
        "--b1\r\nContent-Type: application/vnd.ms-excel\r\n"
        "Content-Disposition: form-data; name=file; filename=people.csv\r\n\r\n"
        "_email,_name\r\nnet@example.com,Net\r\n\r\n--b1--\r\n"
    )
    headers = an_account.headers | {"Content-Type": 'multipart/form-data; boundary="b1"'}

    answer = await client.post("/imports", headers=headers, content=(texts + file).encode())

    assert answer.status_code == 201, answer.text
    await finish(runtime, answer.json()["id"])
    assert await read_name(client, an_account, "net@example.com") == "Net"


async def post_part(
    client: httpx.AsyncClient, account: Account, file: bytes, kind: str, **parts: str
) -> httpx.Response:
    form = {"file": ("people.csv", file, kind)}
    return await client.post("/imports", headers=account.headers, data=PARTS | parts, files=form)


async def test_the_charset_of_a_part_counts_as_its_encoding(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    file = (FILES / "latin1-part-charset.csv").read_bytes()

    answer = await post_part(client, an_account, file, "text/csv; charset=ISO-8859-1")

    await finish(runtime, answer.json()["id"])
    found = await read_import(client, an_account, answer.json()["id"])
    assert (found["created"], found["dialect"]["encoding"]) == (2, "iso-8859-1")
    assert await read_name(client, an_account, "rene@example.com") == "René"


@pytest.mark.parametrize(
    ("file", "kind", "parts", "encoding"),
    [
        ("_email\nrené@example.com\n".encode(), "text/csv; charset=ISO-8859-1", {}, "utf-8"),
        (
            "_email\nrené@example.com\n".encode("cp1252"),
            "text/csv; charset=utf-8",
            {"encoding": "cp1252"},
            "windows-1252",
        ),
        (b"_email\nrene@example.com\n", "text/csv; charset=binary", {}, "utf-8"),
    ],
)
async def test_what_the_bytes_or_the_request_say_counts_more_than_a_charset(
    client: httpx.AsyncClient, an_account: Account, *, file: bytes, kind: str, parts: dict[str, str], encoding: str
) -> None:
    answer = await post_part(client, an_account, file, kind, **parts)
    assert (answer.status_code, answer.json()["dialect"]["encoding"]) == (201, encoding)


def build_body(an_account: Account) -> tuple[dict[str, str], bytes]:
    form = httpx.Request("POST", "http://x", data=PARTS, files={"file": ("a.csv", b"_email\nx@example.com\n")})
    return an_account.headers | {"Content-Type": form.headers["content-type"]}, form.read()


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-Gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("identity", bytes),
    ],
)
async def test_the_body_of_a_request_may_be_compressed(
    client: httpx.AsyncClient, an_account: Account, coding: str, pack: Callable[[bytes], bytes]
) -> None:
    headers, body = build_body(an_account)
    answer = await client.post("/imports", headers=headers | {"Content-Encoding": coding}, content=pack(body))
    assert (answer.status_code, answer.json().get("total")) == (201, 1), answer.text

    declared = await client.put(
        "/types/things",
        headers=an_account.headers | {"Content-Encoding": coding},
        content=pack(b'{"key": "sku", "fields": [{"id": "sku", "type": "text"}]}'),
    )
    assert declared.status_code in (200, 201), declared.text


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "aws-chunked"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/imports"), ("PUT", "/types/things"), ("POST", "/connections")])
async def test_an_unknown_coding_is_415(
    client: httpx.AsyncClient, an_account: Account, coding: str, method: str, path: str
) -> None:
    headers, body = build_body(an_account)
    answer = await client.request(method, path, headers=headers | {"Content-Encoding": coding}, content=body)
    assert answer.status_code == 415
    assert f"`{coding}`" in answer.json()["detail"]
    assert answer.headers["Accept-Encoding"] == "gzip, x-gzip, deflate"


async def test_a_415_for_another_reason_names_no_codings(client: httpx.AsyncClient, an_account: Account) -> None:
    headers = an_account.headers | {"Content-Type": "text/html"}
    answer = await client.post("/imports", headers=headers, content=b"_email")
    assert answer.status_code == 415
    assert "Accept-Encoding" not in answer.headers


@pytest.mark.parametrize("spoil", [lambda body: body[:-9], lambda body: body + b"more", lambda _: b"plain"])
@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_damaged_compressed_body_is_refused(
    client: httpx.AsyncClient,
    an_account: Account,
    coding: str,
    pack: Callable[[bytes], bytes],
    spoil: Callable[[bytes], bytes],
) -> None:
    headers, body = build_body(an_account)
    packed = spoil(pack(body))
    answer = await client.post("/imports", headers=headers | {"Content-Encoding": coding}, content=packed)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


async def test_a_body_that_grows_too_large_is_refused_early(client: httpx.AsyncClient, an_account: Account) -> None:
    headers = an_account.headers | {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    bomb = gzip.compress(b" " * 500_000_000, 9)
    answer = await client.put("/types/things", headers=headers, content=bomb)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("filename*=UTF-8''na%C3%AFve.csv", "naïve.csv"),
        ("filename=\"x.csv\"; filename*=utf-8'en'na%C3%AFve.csv", "naïve.csv"),
        ("filename*=iso-8859-1''na%EFve.csv", "naïve.csv"),
        ('filename="naïve.csv"', "naïve.csv"),
    ],
)
async def test_a_file_name_may_be_extended(
    client: httpx.AsyncClient, an_account: Account, disposition: str, name: str
) -> None:
    texts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{each}"\r\n\r\n{value}\r\n' for each, value in PARTS.items()
    )
    file = f'--b\r\nContent-Disposition: form-data; name="file"; {disposition}\r\n\r\n_email\r\na@example.com\r\n--b--'
    headers = an_account.headers | {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await client.post("/imports", headers=headers, content=(texts + file).encode())
    assert answer.json()["fileName"] == name, answer.text


async def test_a_whole_number_may_have_zeros_after_its_point(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    answer = await post(client, an_account, (FILES / "whole-floats.csv").read_bytes())
    await finish(runtime, answer.json()["id"])

    found = await read_import(client, an_account, answer.json()["id"])
    points = {}
    for name in ("tina", "uwe", "vera"):
        record = (await client.get(f"/records/contacts/{name}@example.com", headers=an_account.headers)).json()
        points[name] = record["data"].get("_points")
    assert (found["created"], found["errors"]) == (3, 1)
    assert points == {"tina": 120, "uwe": None, "vera": 7}
    assert found["errorSummary"][0]["samples"] == [{"line": 5, "row": 4, "value": "7.5"}]


async def test_an_address_of_a_reserved_domain_says_so(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    answer = await post(client, an_account, (FILES / "emails-reserved.csv").read_bytes())
    await finish(runtime, answer.json()["id"])

    found = await read_import(client, an_account, answer.json()["id"])
    assert (found["created"], found["errors"]) == (2, 3)
    assert [(each["message"], each["count"]) for each in found["errorSummary"]] == [
        ("The domain of the e-mail address is reserved for local use or tests, so that no mail reaches it", 3)
    ]


INTEGER, DECIMAL, DATE, TIME, EMAIL = (Field("x", each) for each in ("integer", "decimal", "date", "datetime", "email"))
COMMA = (
    "The value is not a number: a comma is not read as a decimal sign. Write a decimal point, "
    "and no thousands separators"
)
ORDER = "The value looks like a date, but its order or separators are not read. Write it like 2026-01-31"


@pytest.mark.parametrize(
    ("field", "cell", "message"),
    [
        (INTEGER, "7.5", "The value is not a whole number: only zeros may follow a decimal point"),
        (INTEGER, "1.000", "The value may be one number or a thousand times that: write whole numbers without a point"),
        (INTEGER, "many", "The value is not a whole number"),
        (INTEGER, "1.2.3", "The value is not a whole number"),
        (INTEGER, "12,00", COMMA),
        (INTEGER, "1,000", COMMA),
        (DECIMAL, "12,50", COMMA),
        (DECIMAL, "-1.234,56", COMMA),
        (DECIMAL, "1 234,56", COMMA),
        (DECIMAL, "1\u00a0234,56", COMMA),
        (DECIMAL, "1,234.56", COMMA),
        (DECIMAL, "ab,c", NOT_DECIMAL.message),
        (DECIMAL, ",", NOT_DECIMAL.message),
        (DATE, "31.01.2026", ORDER),
        (DATE, " 1/31/26 ", ORDER),
        (DATE, "31-01-2026", ORDER),
        (DATE, "2026/01/31", ORDER),
        (DATE, "2026-1-31", ORDER),
        (DATE, "2026-02-30", NOT_DATE.message),
        (DATE, "soon", NOT_DATE.message),
        (TIME, "31.01.2026 10:00", f"{ORDER}T10:00:00Z"),
        (TIME, "1/31/2026 10:00:00 PM", f"{ORDER}T10:00:00Z"),
        (TIME, "2026-02-30", NOT_DATETIME.message),
        (EMAIL, "a@b@office.local", NOT_EMAIL.message),
        (EMAIL, "a b@office.local", NOT_EMAIL.message),
        (EMAIL, "xia@mail.TEST", RESERVED_DOMAIN.message),
        (EMAIL, " root@localhost", RESERVED_DOMAIN.message),
        (EMAIL, "a@service.onion", RESERVED_DOMAIN.message),
    ],
)
def test_a_cell_that_is_written_otherwise_says_what_is_read(field: Field, cell: str, message: str) -> None:
    found = compile_cell(field)(cell)
    assert isinstance(found, BadCell)
    assert found.message == message


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("a@münchen.de", ["a@xn--mnchen-3ya.de", "A@XN--MNCHEN-3YA.DE", "a@MÜNCHEN.de", " a@mu\u0308nchen.de"]),
        ("josé@shop.example.com", ["JOSÉ@shop.example.com"]),
        ("a@faß.de", ["a@xn--fa-hia.de"]),
        ("a@xn--.de", ["a@xn--.de"]),  # not an address; the row fails by its value
        ("a" * 300 + "@xn--mnchen-3ya.de", ["a" * 300 + "@xn--mnchen-3ya.de"]),
    ],
)
def test_both_spellings_of_a_domain_are_one_key(key: str, keys: list[str]) -> None:
    for each in (key, *keys):
        assert normalize_key(EMAIL, each) == key


async def test_both_spellings_of_a_domain_are_one_contact(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    file = "_email,_name\nada@münchen.example.com,A\nada@xn--mnchen-3ya.example.com,B\n".encode()
    answer = await post(client, an_account, file)
    await finish(runtime, answer.json()["id"])

    found = await read_import(client, an_account, answer.json()["id"])
    assert (found["created"], found["updated"], found["errors"]) == (1, 1, 0)
    assert await read_name(client, an_account, "ada%40xn--mnchen-3ya.example.com") == "B"


def test_a_number_of_json_is_whole_by_its_value() -> None:
    convert = compile_value(INTEGER)
    assert [convert(Decimal(digits)) for digits in ("12.000", "7", "-1.0")] == ["12", "7", "-1"]
    assert all(isinstance(convert(Decimal(digits)), BadCell) for digits in ("7.5", "1e99999999"))
