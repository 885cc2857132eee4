"""Files that are not what they should be, and headers that do not fit: refused by name, on every surface."""

import bz2
import codecs
import gzip
import io
import tarfile
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.formats.decode import Decoder
from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, post, stored_files
from tests.transports.servers.http import http_server
from tests.transports.servers.server import Certificates, policy
from tests.transports.test_imports import OLD, Pulling

FILES = Path(__file__).parent / "files"
ROWS = b"_email,_name,_points\nann@example.net,Ann,1\n"
Send = Callable[[httpx.AsyncClient, Account, bytes, str], Any]


def zipped(*names: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.writestr(name, ROWS)
    return target.getvalue()


def tar_of(data: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        member = tarfile.TarInfo("people.csv")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return target.getvalue()


OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
PAGE = b'<!DOCTYPE html>\n<html><body><form action="/login"><input name="user"></form></body></html>\n'
XML_WORKBOOK = (
    b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
    b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet/></Workbook>\n'
)

# What is sent, and what the refusal calls it.
FOREIGN: dict[str, tuple[bytes, str]] = {
    "workbook": ((FILES / "workbook-as.csv").read_bytes(), "a spreadsheet workbook (.xlsx)"),
    "old workbook": (OLD_WORKBOOK, "a spreadsheet workbook (.xls"),
    "XML workbook": (XML_WORKBOOK, "a spreadsheet workbook (XML)"),
    "open workbook": (
        zipped("mimetype").replace(ROWS, b"application/vnd.oasis.opendocument.spreadsheet"),
        "a spreadsheet workbook (.ods)",
    ),
    "zip": (zipped("people.csv"), "a ZIP archive"),
    "empty zip": (zipped(), "a ZIP archive"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "a PDF document"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(50), "a picture"),
    "packed twice": (gzip.compress(gzip.compress(ROWS, mtime=0), mtime=0), "packed with gzip twice"),
    "page": (PAGE, "a web page (HTML)"),
    "page with a mark": (codecs.BOM_UTF8 + PAGE, "a web page (HTML)"),
    "page in UTF-16": (codecs.BOM_UTF16_LE + PAGE.decode().encode("utf-16-le"), "a web page (HTML)"),
    "table": (b"<table><tr><td>_email</td></tr></table>", "a web page (HTML)"),
    "xml": (b'<?xml version="1.0"?><people><person/></people>', "an XML document"),
    "array": ((FILES / "array-line-each.json").read_bytes(), "one JSON array"),
    "array on a line": (b'[{"_email":"ann@example.net"},{"_email":"ben@example.net"}]', "one JSON array"),
    "printed object": (b'{\n  "people": [\n    {"_email": "ann@example.net"}\n  ]\n}\n', "one JSON document"),
    "bzip2": (bz2.compress(ROWS), "a file packed with bzip2"),
    "tar": (tar_of(ROWS), "a tar archive"),
    "RTF": (rb"{\rtf1\ansi _email,_name\par ann@example.net,Ann}", "a text document (RTF)"),
    "UTF-7": (b"+/v8-_email,_name\nann@example.net,Ann\n", "text in UTF-7"),
    "UTF-32": (ROWS.decode().encode("utf-32"), "text in UTF-32"),
    "name alone": (b"people.csv", "the name of a file in it: `people.csv`"),
}


def reasons(answer: httpx.Response) -> dict[str, str]:
    """The reasons of a refusal of Connectif by their paths."""
    assert answer.status_code == 422, answer.text
    return {each["path"]: each["reason"] for each in answer.json()["validationErrors"]}


async def send_customers(client: httpx.AsyncClient, account: Account, file: bytes) -> httpx.Response:
    key_id, _, secret = account.key.partition(":")
    headers = {"X-App-Id": key_id, "X-App-Token": secret}
    return await client.post("/v1/customers/importCSV", headers=headers, files={"file": ("customers.csv", file)})


async def send_catalog(client: httpx.AsyncClient, account: Account, file: bytes) -> httpx.Response:
    return await client.post(
        "/v2/productimports",
        auth=httpx.BasicAuth(account.key, ""),
        data={"hasHeader": "true"},
        files={"file": ("products.csv", file)},
    )


# Our own API reads workbooks. These have only the beginning of one, and the vendors' surfaces take none at all.
WORKBOOKS = {"workbook", "old workbook", "open workbook"}


@pytest.mark.parametrize(
    ("file", "kind"), [pytest.param(*each, id=name) for name, each in FOREIGN.items() if name not in WORKBOOKS]
)
@pytest.mark.parametrize("name", ["people.csv", "people.jsonl", "people.xlsx"])
async def test_a_file_of_another_kind_is_refused_by_name(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, file: bytes, kind: str, name: str
) -> None:
    before = stored_files(runtime)
    answer = await post(client, an_account, file, name=name)
    assert answer.json()["code"] == "unreadable_file"
    assert kind in reasons(answer)["file"]
    assert stored_files(runtime) == before


@pytest.mark.parametrize(("file", "kind"), FOREIGN.values(), ids=FOREIGN)
async def test_it_is_refused_by_name_on_the_vendors_surfaces(
    client: httpx.AsyncClient, an_account: Account, file: bytes, kind: str
) -> None:
    customers = await send_customers(client, an_account, file)
    assert (customers.status_code, customers.json()["key"]) == (400, "invalid_payload")
    assert kind in customers.json()["details"]
    catalog = await send_catalog(client, an_account, file)
    assert catalog.status_code == 422
    assert kind in catalog.json()["message"]


@pytest.mark.parametrize("name", ["people.csv", "people.jsonl", "people.xlsx"])
async def test_a_workbook_is_read_whatever_it_is_called_and_whatever_encoding_is_named(
    client: httpx.AsyncClient, an_account: Account, name: str
) -> None:
    answer = await post(client, an_account, FOREIGN["workbook"][0], name=name, parts={"encoding": "windows-1252"})
    assert (answer.status_code, answer.json()["total"]) == (201, 1)


@pytest.mark.parametrize("name", ["old workbook", "open workbook"])
async def test_what_only_begins_like_a_workbook_is_refused_and_leaves_nothing(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, name: str
) -> None:
    before = stored_files(runtime)
    answer = await post(client, an_account, FOREIGN[name][0] + bytes(600))
    assert answer.json()["code"] == "unreadable_file"
    assert "begins like a workbook, but cannot be read as one" in reasons(answer)["file"]
    assert stored_files(runtime) == before


@pytest.mark.parametrize(
    "file",
    [
        b"<TICKER>,<TITLE>,_email\nx,y,ann@example.net\n",
        b"[id],[name],_email\nx,y,ann@example.net\n",
        b"%PDF,_email\nx,ann@example.net\n",
        b"PK,_email\nx,ann@example.net\n",
    ],
)
async def test_odd_headings_are_not_taken_for_other_files(
    client: httpx.AsyncClient, an_account: Account, file: bytes
) -> None:
    assert (await post(client, an_account, file)).status_code == 201


@pytest.fixture
async def pulling(runtime: Runtime, an_account: Account, certificates: Certificates) -> Pulling:
    return Pulling(runtime, an_account, policy(tls=certificates.client()))


@pytest.fixture
async def web(certificates: Certificates) -> AsyncIterator[Any]:
    async with http_server(certificates) as running:
        yield running


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (PAGE, "a web page (HTML)"),
        (PAGE, "needs a login"),
        (OLD_WORKBOOK, "begins like a workbook"),
        (b"_Email;_Name\na;b\n", "The header has 2 headings: `_Email`, `_Name`"),
    ],
)
async def test_a_pulled_file_of_another_kind_fails_its_run_by_name(
    web: Any, pulling: Pulling, file: bytes, told: str
) -> None:
    await web.store("login.csv", file, OLD)
    run = await pulling.finish(await pulling.start(web.remote, "login.csv"))
    assert (run.state, run.fail_code) == ("failed", "file_refused")
    assert told in (run.fail_detail or "")


async def test_csv_named_as_json_lines_is_refused(client: httpx.AsyncClient, an_account: Account) -> None:
    found = reasons(await post(client, an_account, ROWS, name="people.json"))
    assert "No line of the file begins with an object" in found["file"]
    assert "`format=csv`" in found["format"]


async def test_json_lines_read_as_csv_are_refused(client: httpx.AsyncClient, an_account: Account) -> None:
    lines = b'{"_email":"ann@example.net"}\n{"_email":"ben@example.net"}\n'
    found = reasons(await post(client, an_account, lines, name="people.csv"))
    assert "JSON Lines" in found["file"]
    assert "`format=jsonl`" in found["format"]
    answer = await send_customers(client, an_account, lines)
    assert "JSON Lines" in answer.json()["details"]


@pytest.mark.parametrize("encoding", [None, "utf-16", "utf-16le", "windows-1252"])
async def test_utf16_without_a_mark_is_read(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, encoding: str | None
) -> None:
    file = (FILES / "utf16le-no-mark.csv").read_bytes()
    answer = await post(client, an_account, file, parts={"encoding": encoding})
    assert answer.status_code == 201, answer.text
    assert answer.json()["dialect"]["encoding"] == "utf-16-le"
    run_id = answer.json()["id"]
    await finish(runtime, run_id)
    assert (await client.get(f"/imports/{run_id}", headers=an_account.headers)).json()["created"] == 2
    record = await client.get("/records/contacts/lena@example.com", headers=an_account.headers)
    assert record.json()["data"]["_name"] == "Lena Größe"


@pytest.mark.parametrize("text", ["id,ä\n", "Имя,Почта\nАнна,anna@example.org\n", "όνομα,email\n", '{"a": "„x“ €"}\n'])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_recognised_in_several_scripts(text: str, encoding: str) -> None:
    decoder = Decoder(None, 1_000)
    stored = decoder.feed(text.encode(encoding)) + decoder.finish()
    assert (stored.decode(), decoder.encoding) == (text, encoding)


async def test_a_mark_before_json_lines_is_no_part_of_them(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    answer = await post(client, an_account, (FILES / "marked.jsonl").read_bytes(), name="marked.jsonl")
    await finish(runtime, answer.json()["id"])
    found = await client.get(f"/imports/{answer.json()['id']}", headers=an_account.headers)
    assert found.json()["created"] == 2


# What a refused header tells


async def test_headings_in_another_case_are_listed_with_what_was_meant(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    found = reasons(await post(client, an_account, (FILES / "header-case.csv").read_bytes()))
    assert found == {
        "_email": "Column `_email` or `_externalId` is required. Did you mean `_email` instead of `_Email`?",
        "file": "The header has 3 headings: `_Email`, `_Name`, `_Points`",
    }


async def test_a_second_mark_is_read_over_or_spelled(client: httpx.AsyncClient, an_account: Account) -> None:
    answer = await post(client, an_account, (FILES / "header-double-mark.csv").read_bytes())
    assert answer.status_code == 201 or "`<U+FEFF>_email`" in reasons(answer)["file"]


@pytest.mark.parametrize(
    ("heading", "spelled"),
    [
        ("_na\u200bme2", "_na<U+200B>me2"),
        ("e\xadmail", "e<U+00AD>mail"),
        ("a\xa0b", "a<U+00A0>b"),
        ("a\tb", "a<U+0009>b"),
    ],
)
async def test_invisible_characters_of_headings_are_spelled(
    client: httpx.AsyncClient, an_account: Account, heading: str, spelled: str
) -> None:
    found = reasons(await post(client, an_account, f"{heading},x\n1,2\n".encode()))
    assert spelled in found["file"]


@pytest.mark.parametrize(
    ("delimiter", "file", "word"),
    [
        (",", b"_email;_name\nann@example.net;Ann\n", "semicolon"),
        (";", b"_email,_name\nann@example.net,Ann\n", "comma"),
        (",", b"_email\t_name\nann@example.net\tAnn\n", "tab"),
        (",", b"_email|_name\nann@example.net|Ann\n", "pipe"),
        (",", b"mail;name\nann@example.net;Ann\n", "semicolon"),
        (",", b"_email;" + b";".join(b"column_%03d" % n for n in range(40)) + b"\n", "semicolon"),
    ],
)
async def test_another_delimiter_that_fits_is_named(
    client: httpx.AsyncClient, an_account: Account, delimiter: str, file: bytes, word: str
) -> None:
    found = reasons(await post(client, an_account, file, parts={"delimiter": delimiter}))
    assert f"`delimiter={word}`" in found["delimiter"]
    assert "`delimiter=auto`" in found["delimiter"]


@pytest.mark.parametrize(
    ("encoding", "file", "told"),
    [
        (None, "Größe,_name\n1,2\n".encode("windows-1252"), "`encoding=windows-1252`"),
        (None, "姓名电子邮件,电话号码\n1,2\n".encode("utf-16-le"), "`encoding=utf-16`"),
        ("windows-1252", "Größe,_name\n1,2\n".encode(), "`encoding=utf-8`"),
        (None, b"+AF8-email,+AF8-name\nann@example.net,Ann\n", "UTF-7"),
    ],
)
async def test_another_encoding_that_fits_is_named(
    client: httpx.AsyncClient, an_account: Account, encoding: str | None, file: bytes, told: str
) -> None:
    found = reasons(await post(client, an_account, file, parts={"encoding": encoding}))
    assert told in found["encoding"]


async def test_every_missing_column_is_named(client: httpx.AsyncClient, an_account: Account) -> None:
    declared = {
        "key": "sku",
        "fields": [{"id": each, "type": "text", "required": True} for each in ("sku", "title", "colour")],
    }
    made = await client.put("/types/shoes", headers=an_account.headers, json=declared)
    assert made.status_code in (200, 201), made.text
    file = b"SK-U;titel;x\n1;2;3\n"
    found = reasons(await post(client, an_account, file, parts={"type": "shoes", "delimiter": ";"}))
    assert found == {
        "sku": "Column `sku` is required. Did you mean `sku` instead of `SK-U`?",
        "title": "Column `title` is required. Did you mean `title` instead of `titel`?",
        "colour": "Column `colour` is required",
        "file": "The header has 3 headings: `SK-U`, `titel`, `x`",
    }


@pytest.mark.parametrize("file", [(FILES / "semicolons-customers.csv").read_bytes(), b"Source_id\tName\nV-1\tAda\n"])
async def test_customers_of_whom_no_column_is_known_are_refused(
    client: httpx.AsyncClient, an_account: Account, file: bytes
) -> None:
    answer = await send_customers(client, an_account, file)
    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    details = answer.json()["details"]
    assert "No column of the file is a field of `customers`" in details
    assert "The header has one heading: `Source_id" in details
    assert "The file looks separated by" in details
    assert "Separate it by commas" in details
    key_id, _, secret = an_account.key.partition(":")
    found = await client.get("/v1/customers", headers={"X-App-Id": key_id, "X-App-Token": secret})
    assert found.json()["total"] == 0


# The line that spreadsheet programs write


@pytest.mark.parametrize("delimiter", [";", "auto", ","])
async def test_a_separator_line_is_read_and_is_not_the_header(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, delimiter: str
) -> None:
    file = (FILES / "sep-line.csv").read_bytes() + b"quinn@example,Q;1\n"
    answer = await post(client, an_account, file, parts={"delimiter": delimiter})
    assert answer.status_code == 201, answer.text
    run_id = answer.json()["id"]
    await finish(runtime, run_id)
    found = (await client.get(f"/imports/{run_id}", headers=an_account.headers)).json()
    assert (found["created"], found["errors"], found["options"]["delimiter"]) == (2, 1, ";")
    assert found["errorSummary"][0]["samples"][0]["line"] == 5
    failed = await client.get(f"/imports/{run_id}/failed-rows.csv", headers=an_account.headers)
    assert failed.text.lstrip("\ufeff").startswith("_email")


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "sep=;;;", "\r\nsep=;\r\n"])
async def test_a_separator_line_is_known_in_every_form(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, line: str
) -> None:
    answer = await send_customers(client, an_account, f"{line}\r\nSource_id;Name\r\nV-1;Ada\r\n".encode())
    assert answer.status_code == 202, answer.text
    await finish(runtime, answer.json()["async_action_id"].removeprefix("aa_"))
    key_id, _, secret = an_account.key.partition(":")
    found = await client.get("/v1/customers/V-1", headers={"X-App-Id": key_id, "X-App-Token": secret})
    assert found.json()["name"] == "Ada"


@pytest.mark.parametrize("options", [{"hasHeader": "true"}, {"columns": "productID,productName"}])
async def test_a_catalog_has_a_separator_line_with_and_without_a_header(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, options: dict[str, str]
) -> None:
    header = "productID;productName\n" if "hasHeader" in options else ""
    answer = await client.post(
        "/v2/productimports",
        auth=httpx.BasicAuth(an_account.key, ""),
        data=options,
        files={"file": ("products.csv", f"sep=;\n{header}P-1;Tube\nP-2;Rod\n".encode())},
    )
    assert answer.status_code == 200, answer.text
    await finish(runtime, answer.json()["jobId"])
    job = await client.get(f"/v2/jobs/{answer.json()['jobId']}", auth=httpx.BasicAuth(an_account.key, ""))
    assert (job.json()["inserted"], job.json()["rejected"]) == (2, 0)


async def test_a_separator_line_that_cannot_be_read_is_named(client: httpx.AsyncClient, an_account: Account) -> None:
    found = reasons(await post(client, an_account, b"sep=^\n_email^_name\na^b\n"))
    assert "The line `sep=^` of the file names a delimiter that cannot be read" in found["file"]
