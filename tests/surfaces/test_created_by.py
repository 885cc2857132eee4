"""A run remembers which API key it came with, whichever surface accepted it."""

import httpx
import pytest
from sqlalchemy import text

from app.runtime import Runtime
from tests.support.http import Account

OPTIONS = {"delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
REQUESTS = {
    "connectif": ("/imports", {"type": "contacts", **OPTIONS}, b"_email\nana@example.com\n"),
    "voucherify": ("/v1/customers/importCSV", {}, b"Source_id,Name\nc1,Ana\n"),
    "cordial": ("/v2/productimports", {"hasHeader": "true"}, b"productID,productName\np1,Stapler\n"),
}


@pytest.mark.parametrize("surface", REQUESTS)
async def test_an_import_remembers_the_key_it_came_with(
    surface: str, client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    path, form, file = REQUESTS[surface]
    answer = await client.post(path, headers=an_account.headers, data=form, files={"file": ("file.csv", file)})
    assert answer.is_success, answer.text
    assert await makers(runtime, an_account) == [an_account.key.partition(":")[0]]


async def test_so_does_a_list_of_customers(client: httpx.AsyncClient, an_account: Account, runtime: Runtime) -> None:
    answer = await client.post("/v1/customers/bulk/async", headers=an_account.headers, json=[{"source_id": "c1"}])
    assert answer.is_success, answer.text
    assert await makers(runtime, an_account) == [an_account.key.partition(":")[0]]


async def test_so_does_a_file_that_is_to_be_fetched(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    remote = {"transport": "https", "url": "https://files.example.com/a.csv"}
    body = {"type": "contacts", **OPTIONS, "source": remote}
    answer = await client.post("/imports", headers=an_account.headers, json=body)
    assert answer.is_success, answer.text
    assert await makers(runtime, an_account) == [an_account.key.partition(":")[0]]


async def makers(runtime: Runtime, account: Account) -> list[str]:
    async with runtime.database.read() as session:
        found = await session.execute(text("SELECT created_by FROM runs WHERE account_id = :id"), {"id": account.id})
        return list(found.scalars())
