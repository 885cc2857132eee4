"""The failed rows of an import are imported once more: as they are, or corrected."""

from typing import Any

import httpx
from sqlalchemy import select

from app.runtime import Runtime
from app.storage.tables import runs
from tests.conftest import Finish
from tests.support.http import Account, post

FILE = 'sku;price;more\na;1;x\nb;9;"y\nz"\nc;1;2;3\nd;9;w\n"e;5\n'


async def declare(client: httpx.AsyncClient, account: Account, *, most: int) -> None:
    texts = [{"id": name, "type": "text"} for name in ("sku", "more")]
    body = {"key": "sku", "fields": [*texts, {"id": "price", "type": "integer", "max": most}]}
    answer = await client.put("/types/things", json=body, headers=account.headers)
    assert answer.is_success, answer.text


class Retries:
    def __init__(self, client: httpx.AsyncClient, account: Account, runtime: Runtime, finish: Finish) -> None:
        self.client, self.account, self.runtime, self.finish = client, account, runtime, finish

    async def ended(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 201, answer.text
        await self.finish(self.runtime, answer.json()["id"])
        return await self.read(answer.json()["id"])

    async def read(self, run: str) -> dict[str, Any]:
        body: dict[str, Any] = (await self.client.get(f"/imports/{run}", headers=self.account.headers)).json()
        return body

    async def first(self) -> dict[str, Any]:
        await declare(self.client, self.account, most=5)
        parts = {"type": "things", "delimiter": ";"}
        return await self.ended(await post(self.client, self.account, FILE.encode(), parts=parts, name="things.csv"))

    async def post(self, run: str, **request: Any) -> httpx.Response:
        return await self.client.post(f"/imports/{run}/retry", headers=self.account.headers, **request)


async def test_failed_rows_are_tried_again_as_they_are(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    retries = Retries(client, an_account, runtime, finish)
    first = await retries.first()
    assert (first["created"], first["errors"]) == (1, 4)
    await declare(client, an_account, most=10)
    retry = await retries.ended(await retries.post(first["id"]))
    assert (retry["parentId"], retry["relation"], retry["fileName"]) == (first["id"], "retry", "things.csv")
    assert (retry["total"], retry["created"], retry["errors"]) == (4, 2, 2)
    record = await client.get("/records/things/b", headers=an_account.headers)
    assert record.json()["data"] == {"sku": "b", "price": 9, "more": "y\nz"}
    family = {"firstId": first["id"], "runs": 2, "open": 0, "total": 5, "success": 3, "failed": 2}
    assert (retry["family"], (await retries.read(first["id"]))["family"]) == (family, family)
    assert "family" not in first

    twice = await retries.post(first["id"], json={"name": "again"})
    assert (twice.status_code, twice.json()["code"]) == (409, "nothing_to_retry")
    assert f"`{retry['id']}`" in twice.json()["detail"]
    again = await retries.ended(await retries.post(retry["id"], json={"name": "again"}))
    assert (again["name"], again["errors"], again["family"]) == ("again", 2, family | {"runs": 3})


async def test_a_corrected_file_brings_in_the_rest(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    retries = Retries(client, an_account, runtime, finish)
    first = await retries.first()
    failed = (await client.get(f"/imports/{first['id']}/failed-rows.csv", headers=an_account.headers)).content
    file = failed.replace(b"b;9;", b"b;2;").replace(b"d;9;", b"d;3;")
    retry = await retries.ended(await retries.post(first["id"], files={"file": ("corrected.csv", file)}))
    assert (retry["total"], retry["created"], retry["fileName"]) == (4, 2, "corrected.csv")
    next_ = await client.get(
        f"/imports/{retry['id']}/results", params={"outcome": "failed"}, headers=an_account.headers
    )
    assert next_.text.count("_outcome") == 1
    last = await retries.ended(
        await retries.post(retry["id"], files={"file": ("c.csv", b"sku;price;more\nc;1;2\ne;5;\n")})
    )
    assert last["family"] == {"firstId": first["id"], "runs": 3, "open": 0, "total": 5, "success": 5, "failed": 0}


async def test_what_cannot_be_retried_is_refused_in_words(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    retries = Retries(client, an_account, runtime, finish)
    waiting = (await post(client, an_account)).json()["id"]
    early = await retries.post(waiting)
    assert (early.status_code, early.json()["code"]) == (409, "import_not_ended")
    await finish(runtime, waiting)
    good = await retries.post(waiting)
    assert (good.status_code, good.json()["code"]) == (409, "nothing_to_retry")
    first = await retries.first()
    other = await retries.post(first["id"], data={"type": "contacts"}, files={"file": ("a.csv", b"sku\n")})
    assert (other.status_code, other.json()["validationErrors"][0]["path"]) == (422, "type")
    run = await engine_blob(runtime, first["id"])
    runtime.blobs.delete(run)
    gone = await retries.post(first["id"])
    assert (gone.status_code, gone.json()["code"]) == (410, "gone")


async def engine_blob(runtime: Runtime, run_id: str) -> str:
    async with runtime.database.read() as session:
        return str((await session.execute(select(runs.c.blob).where(runs.c.id == run_id))).scalar_one())


async def test_a_retry_of_a_replacement_removes_nothing(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    retries = Retries(client, an_account, runtime, finish)
    await declare(client, an_account, most=5)
    parts = {"type": "things", "replace": "true", "minRows": "2"}
    first = await retries.ended(await post(client, an_account, b"sku,price\na,1\nb,9\n", parts=parts))
    await declare(client, an_account, most=10)
    retry = await retries.ended(await retries.post(first["id"]))
    assert (retry["status"], retry["created"], "removed" in retry) == ("finished", 1, False)
    kept = await client.get("/records/things", headers=an_account.headers)
    assert [each["key"] for each in kept.json()["results"]] == ["a", "b"]
