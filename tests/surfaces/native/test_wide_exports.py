"""Exports of types with more fields than PostgreSQL reads in one statement."""

import csv
import io
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.runtime import Runtime
from app.storage.exports.selection import Selection
from app.storage.exports.snapshot import copy_cells, copy_lines, open_snapshot
from app.storage.exports.statement import CellSource, Formulas, select_cells, select_lines
from tests.conftest import Finish
from tests.support.http import Account
from tests.surfaces.native.test_exports import download, export

UGLY = [
    "",
    "a,b",
    'say "x"',
    "two\nlines",
    "cr\rx",
    "back\\slash \\n \\.",
    "tab\t",
    "\x08\x0b\x0c",
    "\\",
    " x ",
    "é",
    "\\.",
    "'",
]


async def test_a_type_of_2000_fields_is_exported_and_comes_back(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    ids = [f"f{number:04}" for number in range(2_000)]
    body = {"key": ids[0], "fields": [{"id": each, "type": "text"} for each in ids]}
    await client.put("/types/wide", headers=an_account.headers, json=body)
    rows = [[key, *(UGLY[number % len(UGLY)] for number in range(1_999))] for key in ("a", "b")]
    sent = io.StringIO()
    csv.writer(sent).writerows([ids, *rows])

    async def send(data: bytes) -> dict[str, Any]:
        files = {"file": ("wide.csv", data)}
        run = (await client.post("/imports", headers=an_account.headers, data={"type": "wide"}, files=files)).json()
        await finish(runtime, run["id"])
        ended: dict[str, Any] = (await client.get(f"/imports/{run['id']}", headers=an_account.headers)).json()
        return ended

    assert (await send(sent.getvalue().encode()))["created"] == 2
    file = await download(client, an_account, await export(client, an_account, runtime, finish, type="wide"))
    assert list(csv.reader(io.StringIO(file.content.decode(), newline=""))) == [ids, *rows]
    assert (await send(file.content))["unchanged"] == 2

    too_many = ",".join([ids[0], *(f"g{number}" for number in range(1_999))]) + "\nc" + ",x" * 1_999
    files = {"file": ("wide.csv", too_many.encode())}
    form = {"type": "wide", "unknownColumns": "keep"}
    run = (await client.post("/imports", headers=an_account.headers, data=form, files=files)).json()
    await finish(runtime, run["id"])
    failed = await export(client, an_account, runtime, finish, type="wide")
    assert failed["status"] == "failed"
    assert "2,000" in str(failed)
    lines = await export(client, an_account, runtime, finish, type="wide", format="jsonl")
    assert lines["written"] == 3


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
async def test_lines_are_written_as_cells_are(an_account: Account, runtime: Runtime, delimiter: str) -> None:
    async with runtime.database.transaction() as session:
        for number, ugly in enumerate([*UGLY, "a;b", "a|b"]):
            statement = text(
                "INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_seq, run_row) VALUES "
                "(:account, 'ugly', :key, jsonb_build_object('a', CAST(:ugly AS text), 'b', CAST(:key AS text)), "
                "now(), now(), 1, 1)"
            )
            await session.execute(statement, {"account": an_account.id, "key": f"{number:02}", "ugly": ugly})
    selection, sources = Selection(an_account.id, "ugly"), [CellSource("b"), CellSource("a"), CellSource("c")]
    written: list[bytearray] = [bytearray(), bytearray()]

    async def write_cells(data: bytes) -> None:
        written[0].extend(data)

    async def write_lines(data: bytes) -> None:
        written[1].extend(data)

    async with open_snapshot(runtime.database) as session:
        await copy_cells(session, select_cells(selection, sources, Formulas()), write_cells, delimiter=delimiter)
        await copy_lines(session, select_lines(selection, sources, Formulas(), delimiter), write_lines)
    assert written[1] == written[0]
