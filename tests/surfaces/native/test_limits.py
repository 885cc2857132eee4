"""The limits of the service, as they are set."""

import httpx

from app.runtime import Runtime
from tests.conftest import NewAccount
from tests.support.http import Account, app_on, client_of


async def test_a_client_is_told_the_limits_of_this_service(runtime: Runtime, an_account: Account) -> None:
    async with client_of(app_on(runtime, max_file_bytes=1_234, queue_limit=3)) as client:
        answer = await client.get("/limits", headers=an_account.headers)

    assert (answer.status_code, answer.json()) == (200, {"maxFileBytes": 1_234, "maxOpenImports": 3})


async def test_only_who_may_import_is_told(client: httpx.AsyncClient, a_key: NewAccount) -> None:
    reader = await a_key(["imports:read"])

    assert (await client.get("/limits", headers=reader.headers)).status_code == 403
    assert (await client.get("/limits")).status_code == 401
