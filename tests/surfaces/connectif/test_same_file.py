"""A file that has been imported before is imported, reported or refused, as the caller says."""

import asyncio
from typing import Any

import httpx

from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import CONTACTS, Account, post, stored_files

OTHER = CONTACTS.replace(b"John", b"Joan")


async def send(client: httpx.AsyncClient, account: Account, choice: str | None = None, **more: Any) -> httpx.Response:
    return await post(client, account, more.pop("file", CONTACTS), parts={"ifSameFile": choice, **more})


async def test_the_same_file_is_imported_again_unless_somebody_minds(
    client: httpx.AsyncClient, an_account: Account
) -> None:
    first, again = [(await send(client, an_account)).json() for _ in range(2)]
    assert first["id"] != again["id"]
    assert (again["warnings"], "ifSameFile" in again["options"]) == ([], False)


async def test_the_earlier_import_is_named(client: httpx.AsyncClient, an_account: Account, runtime: Runtime) -> None:
    first = (await send(client, an_account, "report", name="Weekly")).json()
    assert first["warnings"] == []

    reported = (await send(client, an_account, "report")).json()
    warning = reported["warnings"][0]
    assert (warning["code"], warning["subject"], reported["options"]["ifSameFile"]) == (
        "same_file",
        first["id"],
        "report",
    )
    assert f'by import {first["id"]} "Weekly" at 20' in warning["message"]

    files = stored_files(runtime)
    refused = await send(client, an_account, "refuse")
    assert (refused.status_code, refused.json()["code"]) == (409, "same_file")
    assert f"by import {reported['id']} at 20" in refused.json()["detail"]  # the last one
    assert stored_files(runtime) == files
    assert (await send(client, an_account, "refuse", file=OTHER)).status_code == 201


async def test_what_has_failed_does_not_count_nor_does_another_type(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    declared = {"key": "email", "fields": [{"id": "email", "type": "text", "label": "_email"}]}
    answer = await client.put("/types/leads", headers=an_account.headers, json=declared)
    assert answer.is_success, answer.text
    halted = (await send(client, an_account, minRows="99")).json()
    await finish(runtime, halted["id"])
    assert (await send(client, an_account, "refuse")).status_code == 409  # it may still be resumed
    await client.post(f"/imports/{halted['id']}/cancel", headers=an_account.headers)
    assert (await send(client, an_account, "refuse", type="leads", unknownColumns="ignore")).status_code == 201
    assert (await send(client, an_account, "refuse")).status_code == 201


async def test_what_was_undone_does_not_count_and_what_may_not_be_undone_yet_does(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    first = (await send(client, an_account, "refuse")).json()["id"]
    await finish(runtime, first)
    undo = (await client.post(f"/imports/{first}/undo", headers=an_account.headers)).json()["id"]
    assert (await send(client, an_account, "refuse")).status_code == 409, "the undo may still fail"
    await finish(runtime, undo)
    redo = (await client.post(f"/runs/{undo}/undo", headers=an_account.headers)).json()["id"]
    assert (await send(client, an_account, "refuse")).status_code == 409, "it is brought back"
    await finish(runtime, redo)
    undo = (await client.post(f"/imports/{first}/undo", headers=an_account.headers)).json()["id"]
    await finish(runtime, undo)
    assert (await send(client, an_account, "refuse")).status_code == 201


async def test_a_rerun_is_meant(client: httpx.AsyncClient, an_account: Account) -> None:
    first = (await send(client, an_account, "refuse")).json()
    files = {"file": ("again.csv", CONTACTS, "text/csv")}
    again = await client.post(f"/imports/{first['id']}/rerun", headers=an_account.headers, files=files)
    assert again.status_code == 201, again.text


async def test_of_twins_at_the_same_time_one_is_imported(client: httpx.AsyncClient, an_account: Account) -> None:
    answers = await asyncio.gather(*(send(client, an_account, "refuse") for _ in range(6)))
    assert sorted(each.status_code for each in answers) == [201, *[409] * 5]


async def test_what_is_not_a_choice_is_refused(client: httpx.AsyncClient, an_account: Account) -> None:
    answer = await send(client, an_account, "never")
    assert answer.json()["errors"] == [
        {"path": "ifSameFile", "reason": '`ifSameFile` must be one of "allow", "report" or "refuse"'}
    ]
