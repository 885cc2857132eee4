"""Workbooks in place of CSV files: POST /imports in each of its ways, and vendors' clients, who send none."""

import io
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, stored_files
from tests.support.workbooks import xlsx

CONTACTS = [["_email", "_points"], ["ana@example.org", 5], [], ["bo@example.org", "many"], ["cy@example.org", 7.5]]
WORKBOOK = xlsx({"Notes": [["nothing"]], "Contacts": CONTACTS, "Old": [["x"]]}, hidden=["Old"])
PARTS = {"type": "contacts", "overrideExisting": "true", "updateOnlyEmptyFields": "false", "delimiter": ";"}
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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
