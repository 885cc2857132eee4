"""Workbooks in place of CSV files: POST /imports in each of its ways, and vendors' clients, who send none."""

import io
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, stored_files
from tests.support.spelled_workbooks import spell_xlsx
from tests.support.workbooks import xlsx

CONTACTS = [["_email", "_points"], ["ana@example.org", 5], [], ["bo@example.org", "many"], ["cy@example.org", 7.5]]
WORKBOOK = xlsx({"Notes": [["nothing"]], "Contacts": CONTACTS, "Old": [["x"]]}, hidden=["Old"])
HEADING = '<row><c t="str"><v>_email</v></c><c t="str"><v>_name</v></c><c t="str"><v>_points</v></c></row>'
PARTS = {"type": "contacts", "overrideExisting": "true", "updateOnlyEmptyFields": "false", "delimiter": ";"}
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def text(value: str) -> str:
    return f'<c t="str"><v>{value}</v></c>'


def error(name: str) -> str:
    return f'<c t="e"><f>A9</f><v>{name}</v></c>'


def send_form(**parts: str) -> dict[str, Any]:
    return {"data": PARTS | parts, "files": {"file": ("contacts.xlsx", WORKBOOK, MEDIA_TYPE)}}


def send_body(**options: str) -> dict[str, Any]:
    headers = {"Content-Type": MEDIA_TYPE, "Content-Disposition": 'attachment; filename="contacts.xlsx"'}
    return {"params": {"type": "contacts", **options}, "content": WORKBOOK, "headers": headers}


@pytest.mark.parametrize("send", [send_form, send_body])
async def test_a_sheet_is_imported_and_the_others_are_named(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish, send: Any
) -> None:
    request = send(sheet="Contacts")
    request["headers"] = an_account.headers | request.get("headers", {})
    accepted = await client.post("/imports", **request)
    assert accepted.status_code == 201, accepted.text
    body = accepted.json()
    assert (body["total"], body["fileName"]) == (3, "contacts.xlsx")
    await finish(runtime, body["id"])
    run = (await client.get(f"/imports/{body['id']}", headers=an_account.headers)).json()
    assert (run["status"], run["created"], run["errors"]) == ("finished", 1, 2)
    problems = (await client.get(f"/imports/{body['id']}/problems", headers=an_account.headers)).json()["results"]
    assert [(each["line"], each["value"]) for each in problems] == [(4, "many"), (5, "7.5")]
    (warning,) = run["warnings"]
    assert warning["code"] == "other_sheets"
    assert warning["message"].startswith("Only the sheet `Contacts` was read, not `Notes` and `Old` (hidden)")


async def test_an_error_of_a_formula_fails_its_row_and_clears_nothing_also_when_it_is_tried_again(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account, finish: Finish
) -> None:
    async def send(rows: str) -> dict[str, Any]:
        parts = PARTS | {"blankCells": "clear"}
        files = {"file": ("contacts.xlsx", spell_xlsx(HEADING + rows), MEDIA_TYPE)}
        return await done(await client.post("/imports", headers=an_account.headers, data=parts, files=files))

    async def done(accepted: httpx.Response) -> dict[str, Any]:
        assert accepted.status_code == 201, accepted.text
        await finish(runtime, accepted.json()["id"])
        run: dict[str, Any] = (await client.get(f"/imports/{accepted.json()['id']}", headers=an_account.headers)).json()
        return run

    await send(f"<row>{text('ana@example.org')}{text('Ana')}<c><v>5</v></c></row>")
    run = await send(f"<row>{text('ana@example.org')}{error('#N/A')}{error('#REF!')}</row>")
    problems = (await client.get(f"/imports/{run['id']}/problems", headers=an_account.headers)).json()["results"]
    assert [(each["code"], each["column"], each["value"]) for each in problems] == [
        ("formula_error", "_name", "#N/A"),
        ("formula_error", "_points", "#REF!"),
    ]
    assert problems[0]["message"] == "The cell holds an error of a formula, #N/A, and no value"
    again = await done(await client.post(f"/imports/{run['id']}/retry", headers=an_account.headers))
    assert [(each["updated"], each["errors"]) for each in (run, again)] == [(0, 1), (0, 1)]
    contact = (await client.get("/records/contacts/ana@example.org", headers=an_account.headers)).json()
    assert (contact["data"]["_name"], contact["data"]["_points"]) == ("Ana", 5)


async def test_a_sheet_that_is_not_there_is_told_with_those_that_are(
    client: httpx.AsyncClient, runtime: Runtime, an_account: Account
) -> None:
    before = stored_files(runtime)
    refused = await client.post("/imports", headers=an_account.headers, **send_form(sheet="Kontakte"))
    assert refused.status_code == 422
    detail = "The workbook has no sheet `Kontakte`. It has `Notes`, `Contacts` and `Old`"
    assert refused.json()["errors"] == [{"path": "sheet", "reason": detail}]
    late = [("file", ("a.xlsx", WORKBOOK)), *((name, (None, value)) for name, value in {**PARTS, "sheet": "2"}.items())]
    refused = await client.post("/imports", headers=an_account.headers, files=late)
    assert "`sheet` must come before the file in the form" in refused.text
    assert stored_files(runtime) == before


async def test_vendors_clients_are_told_what_they_were_told_before(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    app_id, _, token = an_account.key.partition(":")
    headers = {"X-App-Id": app_id, "X-App-Token": token}
    files = {"file": ("customers.xlsx", io.BytesIO(WORKBOOK), MEDIA_TYPE)}
    refused = await client.post("/v1/customers/importCSV", headers=headers, files=files)
    assert refused.status_code == 400
    assert "Open it in the program that made it, and save it as CSV" in refused.text
