"""Files from web servers with habits that are met in the field."""

import gzip
import json
import time
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.connections.pull import Pull
from app.imports.intake import Submission, submit
from app.imports.plan import ReadOptions
from app.runs.model import AccountId, Run, run_from
from app.runtime import Runtime
from app.storage import records, runs
from app.transports.transport import TransferPolicy
from tests.conftest import Finish
from tests.support.http import Account
from tests.transports.servers.http import HttpServer, http_server
from tests.transports.servers.server import Certificates

CSV = b"_email,_name\r\nweb1@example.net,Web One\r\nweb2@example.net,Web Two\r\n"
LATIN = "_email,_name\r\nweb3@example.net,Ren\xe9\r\n".encode("latin-1")
UTF8 = "_email,_name\r\nweb3@example.net,Ren\xe9\r\n".encode()
A_FEW_SECONDS = 8  # it took more than a minute
NAMES = {"web1@example.net": "Web One", "web2@example.net": "Web Two"}


@pytest.fixture
async def web(certificates: Certificates) -> AsyncIterator[HttpServer]:
    async with http_server(certificates) as running:
        yield running


async def pull(
    runtime: Runtime,
    calls: TransferPolicy,
    account: Account,
    web: HttpServer,
    finish: Finish,
    encoding: str | None = None,
) -> tuple[Run, dict[str, str]]:
    """The import of the server's `a.csv`, and the names of the contacts afterwards."""
    runtime = replace(runtime, transfer_policy=calls)
    submission = Submission(
        AccountId(account.id), "api", "contacts", Pull(web.remote, "a.csv"), read=ReadOptions(encoding=encoding)
    )
    run = await submit(runtime, submission)
    await finish(runtime, run.id)
    async with runtime.database.snapshot() as session:
        row = await runs.get(session, AccountId(account.id), run.id)
        rows = (await records.page(session, AccountId(account.id), "contacts", after=None, limit=10)).rows
    assert row is not None
    return run_from(row), {each["key"]: json.loads(each["data"])["_name"] for each in rows}


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", gzip.compress(CSV, mtime=0)),
        ("X-GZIP", gzip.compress(CSV, mtime=0)),
        ("deflate", zlib.compress(CSV)),
        ("deflate", zlib.compress(CSV)[2:-4]),  # without zlib's header and checksum, as some servers send it
        ("identity", CSV),
        ("gzip", CSV),  # the header is wrong
        ("gzip", gzip.compress(gzip.compress(CSV, mtime=0), mtime=0)),  # people.csv.gz, and the server packs it again
        ("deflate", zlib.compress(gzip.compress(CSV, mtime=0))),
    ],
)
async def test_a_coded_answer_is_undone(
    runtime: Runtime,
    calls: TransferPolicy,
    an_account: Account,
    web: HttpServer,
    finish: Finish,
    coding: str,
    data: bytes,
) -> None:
    await web.store("a.csv", data)
    web.web.coding = coding

    run, names = await pull(runtime, calls, an_account, web, finish)

    assert (run.state, run.created, run.fail_detail) == ("finished", 2, None)
    assert names == NAMES
    assert run.file_bytes == len(data)


async def test_a_coding_that_cannot_be_undone_is_named(
    runtime: Runtime, calls: TransferPolicy, an_account: Account, web: HttpServer, finish: Finish
) -> None:
    await web.store("a.csv", CSV)
    web.web.coding = "br"

    run, _ = await pull(runtime, calls, an_account, web, finish)

    assert (run.state, run.fail_code) == ("failed", "source_read")
    assert run.fail_detail == ("The server compresses the file in an unknown way. It may send it as gzip, or as it is")


@pytest.mark.parametrize(
    ("media_type", "data", "encoding", "found"),
    [
        ("text/csv; charset=iso-8859-1", LATIN, None, "iso-8859-1"),
        ('text/csv;charset="ISO-8859-1"', LATIN, None, "iso-8859-1"),
        ("text/csv; charset=iso-8859-1", LATIN[:-2], None, "iso-8859-1"),  # ends with the byte in question
        # Servers name their default for any file, so a file that is UTF-8 is read as UTF-8.
        ("text/csv; charset=iso-8859-1", UTF8, None, "utf-8"),
        ("text/csv; charset=iso-8859-1", b"\xef\xbb\xbf" + UTF8, None, "utf-8"),
        ("text/csv; charset=x-unknown", UTF8, None, "utf-8"),
        ("text/csv; charset=utf-8", LATIN, "iso-8859-1", "iso-8859-1"),  # what the request says counts
        ("text/csv; charset=utf-16", UTF8.decode().encode("utf-16"), None, "utf-16-le"),
    ],
)
async def test_the_charset_of_an_answer_is_heeded(
    runtime: Runtime,
    calls: TransferPolicy,
    an_account: Account,
    web: HttpServer,
    finish: Finish,
    *,
    media_type: str,
    data: bytes,
    encoding: str | None,
    found: str,
) -> None:
    await web.store("a.csv", data)
    web.web.media_type = media_type

    run, names = await pull(runtime, calls, an_account, web, finish, encoding)

    assert names == {"web3@example.net": "Ren\xe9"}
    assert run.plan["dialect"]["encoding"] == found


@pytest.mark.parametrize(
    "quirks",
    [
        {"made_anew"},
        {"new_tag"},
        {"new_tag", "weak_tag"},
        {"weak_tag"},
        {"made_anew", "no_head"},
        {"new_tag", "no_length"},
    ],
    ids=lambda quirks: "+".join(sorted(quirks)),
)
async def test_a_file_that_is_made_for_each_request_is_compared_by_its_bytes(
    runtime: Runtime, calls: TransferPolicy, an_account: Account, web: HttpServer, finish: Finish, quirks: set[str]
) -> None:
    await web.store("a.csv", CSV)
    web.web.quirks = quirks

    begin = time.monotonic()
    run, names = await pull(runtime, calls, an_account, web, finish)

    assert (run.state, run.created, run.fetches) == ("finished", 2, 0)
    assert names == NAMES
    assert time.monotonic() - begin < A_FEW_SECONDS


async def test_a_page_to_log_in_is_refused_as_what_it_is(
    runtime: Runtime, calls: TransferPolicy, an_account: Account, web: HttpServer, finish: Finish
) -> None:
    page = b'<!DOCTYPE html>\n<html><body><form action="/login"><input name="user"></form></body></html>\n'
    await web.store("a.csv", page)
    web.web.media_type = "text/html; charset=utf-8"

    run, names = await pull(runtime, calls, an_account, web, finish)

    assert (run.state, run.fail_code, names) == ("failed", "file_refused", {})
    assert "web page (HTML)" in (run.fail_detail or "")
    assert "log" in (run.fail_detail or "")


@pytest.mark.parametrize("quirk", ["no_head", "no_length"])
async def test_a_server_without_head_or_length_is_read(
    runtime: Runtime, calls: TransferPolicy, an_account: Account, web: HttpServer, finish: Finish, quirk: str
) -> None:
    await web.store("a.csv", CSV)
    web.web.quirks = {quirk}

    _, names = await pull(runtime, calls, an_account, web, finish)

    assert names == NAMES
