"""Products as the tests of Cordial's surface import, poll and read them."""

import json
from typing import Any

import httpx
import pytest

from app.runs import problems
from app.runtime import Runtime
from tests.support.http import Account, finish

OURS = {"_id", "totalQty", "ct", "lm"}


class Cordial:
    """The surface as one account uses it: with the key as user name and no password."""

    def __init__(self, client: httpx.AsyncClient, runtime: Runtime, account: Account) -> None:
        self.client, self.runtime, self.account = client, runtime, account
        self.auth = httpx.BasicAuth(account.key, "")

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        return await self.client.request(method, path, auth=self.auth, **request)

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.ask("GET", path, params=query or None)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
        return answer.json()

    async def post(self, path: str, body: object) -> httpx.Response:
        return await self.ask("POST", path, json=body)

    async def send(self, file: str | bytes, name: str = "products.csv", **options: Any) -> httpx.Response:
        """Posts a file as a form, with a header unless the options say otherwise."""
        data = file.encode() if isinstance(file, str) else file
        parts = {"hasHeader": "true"} | options
        given = {key: value for key, value in parts.items() if value is not None}
        return await self.ask("POST", "/v2/productimports", data=given, files={"file": (name, data, "text/csv")})

    async def job(self, answer: httpx.Response) -> dict[str, Any]:
        """The ended job of an import that was started."""
        assert answer.status_code == 200, answer.text
        job_id = answer.json()["jobId"]
        await finish(self.runtime, job_id)
        return dict(await self.get(f"/v2/jobs/{job_id}"))

    async def imported(self, file: str | bytes, name: str = "products.csv", **options: Any) -> dict[str, Any]:
        """The ended job of a file."""
        return await self.job(await self.send(file, name, **options))

    async def lines(self, *products: dict[str, Any]) -> dict[str, Any]:
        """The ended job of products as JSON Lines."""
        return await self.imported("\n".join(map(json.dumps, products)), "products.jsonl")

    async def save(self, **product: Any) -> str:
        answer = await self.post("/v2/products", product)
        assert answer.status_code == 200, answer.text
        assert answer.json()["success"] is True
        return str(answer.json()["message"])

    async def product(self, product_id: str) -> dict[str, Any]:
        """Without what is ours."""
        found = await self.get(f"/v2/products/{product_id}")
        return {name: value for name, value in found.items() if name not in OURS}

    async def problems(self, job: dict[str, Any]) -> list[tuple[int, str, str | None]]:
        """Line, code and column of each."""
        async with self.runtime.database.read() as session:
            found = await problems.load_first(session, job["jobId"], rows=100)
        return [(each.line, each.code, each.column) for each in found]


@pytest.fixture
async def cordial(client: httpx.AsyncClient, runtime: Runtime, an_account: Account) -> Cordial:
    return Cordial(client, runtime, an_account)
