"""Customers as the tests of Voucherify's surface import, poll and read them."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from app.imports.engine import work
from app.runs.lifecycle import work_on
from app.runs.model import RunId
from app.runtime import Runtime
from tests.support.http import Account, finish


class Voucherify:
    """The surface as one account uses it."""

    def __init__(self, client: httpx.AsyncClient, runtime: Runtime, account: Account) -> None:
        self.client, self.runtime, self.account = client, runtime, account
        key_id, _, secret = account.key.partition(":")
        self.headers = {"X-App-Id": key_id, "X-App-Token": secret}

    async def post(self, path: str, **request: Any) -> httpx.Response:
        return await self.client.post(path, headers=self.headers | request.pop("headers", {}), **request)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.client.get(path, headers=self.headers, params=query or None)

    async def send(self, csv: str | bytes, path: str = "/v1/customers/importCSV") -> str:
        """Posts a file; the id of its action."""
        data = csv.encode() if isinstance(csv, str) else csv
        answer = await self.post(path, files={"file": ("customers.csv", data, "text/csv")})
        assert answer.status_code == 202, answer.text
        assert answer.json().keys() == {"async_action_id"}
        return str(answer.json()["async_action_id"])

    async def work(self, action_id: str) -> None:
        """Works on the action until it has ended."""
        await finish(self.runtime, action_id.removeprefix("aa_"))

    async def slice(self, action_id: str) -> None:
        await work_on(self.runtime, RunId(action_id.removeprefix("aa_")), work)

    async def action(self, action_id: str) -> dict[str, Any]:
        answer = await self.get(f"/v1/async-actions/{action_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def imported(self, csv: str | bytes) -> dict[str, Any]:
        """The ended action of a file."""
        action_id = await self.send(csv)
        await self.work(action_id)
        return await self.action(action_id)

    async def bulk(self, body: object, path: str = "/v1/customers/bulk/async") -> dict[str, Any]:
        """The ended action of a list."""
        answer = await self.post(path, json=body)
        assert answer.status_code == 202, answer.text
        action_id = str(answer.json()["async_action_id"])
        await self.work(action_id)
        return await self.action(action_id)

    async def customer(self, name: str) -> dict[str, Any]:
        answer = await self.get(f"/v1/customers/{name}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def own(self, name: str) -> dict[str, Any]:
        """What a customer has of its own: without what is the same for all, and without times."""
        return own(await self.customer(name))


def own(customer: Mapping[str, Any]) -> dict[str, Any]:
    same = {"id", "object", "created_at", "updated_at", "summary", "loyalty", "referrals", "system_metadata"}
    return {name: value for name, value in customer.items() if name not in same}


@pytest.fixture
async def voucherify(client: httpx.AsyncClient, runtime: Runtime, an_account: Account) -> Voucherify:
    return Voucherify(client, runtime, an_account)
