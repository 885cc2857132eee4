"""Texts that are cheap to send and slow to normalise or to match: each must cost no more than its length."""

import ast
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from app.resources.canonical import MOST_MARKS, to_nfc
from app.resources.email import convert_email
from app.resources.field_types import compile_cell, normalize_key
from app.resources.schema import Field
from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, post

ROOT = Path(__file__).resolve().parents[2]
TWO_KINDS = "a" + "\u0301\u0316" * 30_000  # 15 s for unicodedata.normalize
COMPOSED = "\u0f73" * 60_000  # each becomes two marks, and combining() of it is 0
PLENTY = 2.0  # seconds; each took more than ten before, and takes milliseconds now

TEXTS = {
    "two kinds of marks": TWO_KINDS,
    "half and half": "a" + "\u0301" * 30_000 + "\u0316" * 30_000,
    "composed marks": COMPOSED,
    "zeros": "0" * 131_000 + "x",
    "a thousand zeros": "0" * 1_000 + "x",
    "digits": "1" * 131_000 + "x",
    "dots": "a." * 60_000 + "@",
    "at signs": "a@" * 60_000,
    "labels": "a@" + "a." * 60_000,
    "hyphens": "a@" + "a-" * 60_000,
    "slashes": "http://" + "a:" * 60_000,
    "blanks": "x" + " " * 131_000 + "x",
    "brackets": "[" * 131_000,
    "pipes": "|" * 131_000,
}


def seconds(call: Callable[[], object]) -> float:
    begin = time.process_time()
    call()
    return time.process_time() - begin


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize(
    "type",
    [
        "text",
        "integer",
        "decimal",
        "boolean",
        "date",
        "datetime",
        "email",
        "phone",
        "url",
        "slug",
        "enum",
        "list",
        "object",
    ],
)
def test_no_cell_is_slow_to_convert(type: str, text: str) -> None:
    convert = compile_cell(Field("f", type, options=("a",) if type == "enum" else ()))
    assert seconds(lambda: convert(text)) < PLENTY


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("type", ["text", "email", "integer", "phone"])
def test_no_key_is_slow_to_normalise(type: str, text: str) -> None:
    key = normalize_key(Field("f", type), text)
    assert seconds(lambda: normalize_key(Field("f", type), text)) < PLENTY
    assert normalize_key(Field("f", type), key) == key


def test_refusing_a_number_costs_as_much_as_its_length() -> None:
    """Every zero was tried as the first digit: ten times as many took a hundred times as long."""
    convert = compile_cell(Field("f", "integer"))

    def refuse_many(zeros: int) -> Callable[[], object]:
        return lambda: [convert("0" * zeros + "x") for _ in range(200)]

    assert seconds(refuse_many(1_000)) < 0.2  # 0.8 s before


def test_words_of_every_language_are_normalised_still() -> None:
    """The limit is on marks in a row: neither on letters nor on marks."""
    for composed, apart in (("é", "e\u0301"), ("ệ", "e\u0323\u0302"), ("각", "\u1100\u1161\u11a8")):
        assert to_nfc(apart * 500) == composed * 500
    assert to_nfc("漢字" * 500 + "e\u0301") == "漢字" * 500 + "é"
    marks = "\u0301\u0316" * (MOST_MARKS // 2)
    assert to_nfc("a" + marks) != "a" + marks
    assert to_nfc("a" + marks + "\u0301") == "a" + marks + "\u0301"


def test_texts_are_normalised_in_one_place() -> None:
    """A call of `unicodedata.normalize` anywhere else brings the attack back. The command line is exempt: it
    handles only what its own user types."""
    callers = {
        path.name
        for path in [*(ROOT / "app").rglob("*.py"), *(ROOT / "workers").rglob("*.py")]
        if (ROOT / "app" / "cli") not in path.parents
        for node in ast.walk(ast.parse(path.read_text()))
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == "unicodedata"
            and any(each.name == "normalize" for each in node.names)
        )
        or (isinstance(node, ast.Attribute) and node.attr == "normalize")
    }
    assert callers == {"canonical.py"}


def test_an_address_is_measured_before_it_is_matched() -> None:
    assert seconds(lambda: convert_email("é" * 131_000 + "@example.org")) < PLENTY


async def test_a_product_with_such_an_id_is_refused_at_once(client: httpx.AsyncClient, an_account: Account) -> None:
    begin = time.process_time()
    answer = await client.post(
        "/v2/products", headers=an_account.headers, json={"productID": TWO_KINDS, "productName": "x"}
    )
    assert answer.status_code == 422
    assert time.process_time() - begin < PLENTY


async def test_a_file_with_such_a_key_fails_its_row_alone(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    file = f"_externalId,_name\n{TWO_KINDS},Ann\nb-1,Bob\n".encode()
    begin = time.process_time()
    run = (await post(client, an_account, file)).json()
    await finish(runtime, run["id"])
    assert time.process_time() - begin < PLENTY
    ended = (await client.get(run["links"]["self"], headers=an_account.headers)).json()
    assert (ended["success"], ended["errors"]) == (1, 1)
    problems = (await client.get(f"/imports/{run['id']}/problems", headers=an_account.headers)).json()
    assert [each["code"] for each in problems["results"]] == ["key_too_long"]


@pytest.mark.parametrize("path", ["/records/contacts/", "/records/products/", "/v2/products/", "/v1/customers/"])
async def test_a_path_with_such_a_key_is_not_found_at_once(
    client: httpx.AsyncClient, an_account: Account, path: str
) -> None:
    begin = time.process_time()
    answer = await client.get(path + quote(TWO_KINDS[:10_000]), headers=an_account.headers)
    assert answer.status_code == 404
    assert time.process_time() - begin < PLENTY
