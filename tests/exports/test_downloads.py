"""The file of an export made for spreadsheets: what they would take for a formula is guarded, all else stays."""

import gzip
import io
from typing import Any

import pytest

from app.exports import downloads
from app.exports.downloads import find_record_end, guard_file
from app.exports.layout import FileOptions
from tests.exports.conftest import Exports
from tests.exports.test_mappings import as_json

NAMES = [
    "=1+1",
    "+x",
    "-x",
    "@x",
    "\tx",
    "\rx",
    "'=x",
    "-5",
    "+1,5",
    "-05,5x",
    "it's",
    "'",
    "a, =b",
    "a\n=b",
    '=a"b',
    '"=',
]
NAMES += ["=", "-", "=a;b|c\td", "ä=", "+49 30 1"]
MAPPING = {"columns": [{"column": "E", "field": "_email"}, {"column": "N", "field": "_name"}]}
FORMS: list[dict[str, Any]] = [
    {"delimiter": ","},
    {"delimiter": ";", "encoding": "utf-16"},
    {"delimiter": "\t", "gzip": True},
    {"delimiter": "|", "encoding": "windows-1252"},
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form["delimiter"])
async def test_a_file_for_spreadsheets_is_what_neutralizing_writes(
    exports: Exports, form: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await exports.load(as_json(NAMES), "contacts", format="jsonl")
    neutralized = await exports.export("contacts", MAPPING, formulas="neutralize", **form)
    _, plain = await exports.export_run("contacts", MAPPING, **form)
    encoding = form.get("encoding", "utf-8-sig")
    for size in (1, 7, downloads.PIECE_BYTES):
        monkeypatch.setattr(downloads, "PIECE_BYTES", size)
        made = b"".join(guard_file(io.BytesIO(plain), FileOptions(**form)))
        assert made.decode(encoding) == neutralized.decode(encoding), size
        assert made.startswith(b"\xef\xbb\xbf") is (encoding == "utf-8-sig")


async def test_formulas_for_text_stay_and_are_read_again(exports: Exports) -> None:
    names = ['="00123"', ' ="x" ', '="a"&"b"', '="a""b"']
    await exports.load(as_json(names), "contacts", format="jsonl")
    _, plain = await exports.export_run()
    made = b"".join(guard_file(io.BytesIO(plain), FileOptions()))
    again = await exports.load(made.decode("utf-8-sig"), "contacts", delimiter=",")
    assert (again.unchanged, again.failed) == (len(names), 0), made.decode()


def test_records_end_where_no_quotes_are_open() -> None:
    for text, end in (("a\nb", 2), ('a,"b\n', 0), ('a\n"b\n', 2), ('"a\n""\n"\nb"', 8), ("", 0)):
        assert find_record_end(text) == end, text


def test_a_cell_after_a_guarded_one_is_looked_at() -> None:
    text = '=1,=2\n"=1,1","-2",=3,"a"\n@x\n'
    made = b"".join(guard_file(io.BytesIO(gzip.compress(text.encode())), FileOptions(gzip=True)))
    assert made.decode("utf-8-sig") == '\'=1,\'=2\n"\'=1,1","-2",\'=3,"a"\n\'@x\n'
