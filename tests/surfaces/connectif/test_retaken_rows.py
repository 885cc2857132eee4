"""A failed row is in one retry or correction at a time, and the imports that come of one file add up."""

import asyncio
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account, post

TYPE = {
    "key": "sku",
    "fields": [
        {"id": "sku", "type": "text"},
        {"id": "price", "type": "decimal"},
        {"id": "stock", "type": "integer"},
    ],
}
# One good row; 2 with a bad price, 2 with a bad stock, 1 with both, and one that cannot be read.
FILE = b"sku;price;stock\na;1;1\nb;1,5;2\nc;2,5;3\nd;3;x\ne;4;x\nf;5,5;x\ng;6\n"
COMMA = {"column": "price", "decimalComma": True}
STOCK = {"column": "stock", "from": "x", "to": "0"}


class Family:
    """An import of seven rows, six of which fail, and what comes of it."""

    def __init__(self, client: httpx.AsyncClient, account: Account, runtime: Runtime, finish: Finish) -> None:
        self.client, self.account, self.runtime, self.finish = client, account, runtime, finish
        self.first = ""

    async def begin(self) -> str:
        await self.client.put("/types/wares", headers=self.account.headers, json=TYPE)
        parts = {"type": "wares", "delimiter": ";"}
        self.first = (await self.ended(await post(self.client, self.account, FILE, name="w.csv", parts=parts)))["id"]
        return self.first

    async def send(self, run_id: str, what: str, **request: Any) -> httpx.Response:
        return await self.client.post(f"/imports/{run_id}/{what}", headers=self.account.headers, **request)

    async def correct(self, run_id: str, *corrections: dict[str, Any]) -> httpx.Response:
        return await self.send(run_id, "corrections", json={"corrections": corrections})

    async def ended(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code in (200, 201, 202), answer.text
        await self.finish(self.runtime, answer.json()["id"])
        return await self.read(answer.json()["id"])

    async def read(self, run_id: str) -> dict[str, Any]:
        body: dict[str, Any] = (await self.client.get(f"/imports/{run_id}", headers=self.account.headers)).json()
        return body

    async def undo(self, run_id: str) -> None:
        await self.ended(await self.client.post(f"/runs/{run_id}/undo", headers=self.account.headers))

    async def totals(self) -> tuple[int, int]:
        """How many of the first file's rows are in, and how many imports say so."""
        family = (await self.read(self.first))["family"]
        assert family["success"] + family["failed"] == family["total"] == 7
        return family["success"], family["runs"]

    async def stored(self) -> int:
        answer = await self.client.get("/records/wares", headers=self.account.headers)
        return len(answer.json()["results"])


@pytest.fixture
async def family(client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish) -> Family:
    made = Family(client, an_account, runtime, finish)
    await made.begin()
    return made


def says_taken(answer: httpx.Response, *by: str) -> bool:
    body = answer.json()
    return (
        answer.status_code == 409 and body["code"] == "nothing_to_retry" and all(each in body["detail"] for each in by)
    )


async def test_each_correction_has_the_rows_that_no_other_has_and_a_retry_the_rest(family: Family) -> None:
    prices = await family.ended(await family.correct(family.first, COMMA))
    assert (prices["total"], prices["created"], await family.totals()) == (3, 2, (3, 2))
    # A page that proposes the same again: the row with both mistakes is corrected where it fails now.
    both = await family.ended(await family.correct(family.first, COMMA, STOCK))
    assert (both["total"], both["created"], await family.totals()) == (2, 2, (5, 3))
    assert says_taken(await family.correct(family.first, COMMA, STOCK), prices["id"], both["id"])
    rest = await family.ended(await family.send(family.first, "retry"))
    assert (rest["total"], rest["errors"], await family.totals()) == (1, 1, (5, 4))
    last = await family.ended(await family.correct(prices["id"], STOCK))
    assert (last["total"], last["created"], await family.totals()) == (1, 1, (6, 5))
    fixed = {"files": {"file": ("w.csv", b"sku;price;stock\ng;6;7\n")}}
    await family.ended(await family.send(rest["id"], "retry", **fixed))
    assert (await family.totals(), await family.stored()) == ((7, 6), 7)


async def test_of_several_retries_at_once_one_has_the_rows(family: Family) -> None:
    answers = await asyncio.gather(
        *(family.send(family.first, "retry") for _ in range(3)),
        *(family.correct(family.first, STOCK) for _ in range(2)),
    )
    accepted = [each for each in answers if each.status_code == 201]
    rows = 0
    for each in answers:
        assert each in accepted or says_taken(each)
    for each in accepted:
        rows += (await family.ended(each))["total"]
    assert rows in (6, 3)  # everything in one retry, or the rows of a correction: then the others were too late
    assert len(accepted) == 1


async def test_what_is_undone_or_cancelled_or_deleted_can_be_taken_again(family: Family) -> None:
    prices = await family.ended(await family.correct(family.first, COMMA))
    undo = await family.client.post(f"/runs/{prices['id']}/undo", headers=family.account.headers)
    assert undo.status_code in (200, 201, 202), undo.text
    await family.finish(family.runtime, undo.json()["id"])
    assert (await family.totals(), await family.stored()) == ((1, 2), 1)

    again = (await family.correct(family.first, COMMA)).json()
    assert says_taken(await family.correct(family.first, COMMA), again["id"])
    cancelled = await family.client.post(f"/runs/{again['id']}/cancel", headers=family.account.headers)
    assert cancelled.is_success, cancelled.text
    third = await family.ended(await family.correct(family.first, COMMA))
    assert (third["created"], await family.totals()) == (2, (3, 4))
    deleted = await family.client.delete(f"/imports/{third['id']}", headers=family.account.headers)
    assert deleted.is_success
    fourth = await family.ended(await family.send(family.first, "retry"))
    assert (fourth["total"], await family.stored()) == (6, 3)

    undo = await family.client.post(f"/runs/{family.first}/undo", headers=family.account.headers)
    await family.finish(family.runtime, undo.json()["id"])
    assert ((await family.totals())[0], await family.stored()) == (0, 2)


async def test_what_a_retry_of_an_undone_retry_has_brought_in_stays_taken(family: Family) -> None:
    await family.client.put("/types/wares?force=true", headers=family.account.headers, json=TYPE)
    again = await family.ended(await family.send(family.first, "retry"))
    prices = await family.ended(await family.correct(again["id"], COMMA))
    assert (again["errors"], prices["created"], await family.totals()) == (6, 2, (3, 3))
    stock = await family.ended(await family.correct(again["id"], STOCK))
    assert (stock["created"], await family.totals()) == (2, (5, 4))
    await family.undo(prices["id"])
    assert (await family.totals(), await family.stored()) == ((3, 4), 3)
    # What was taken back is free where it was taken from, and nowhere else.
    assert says_taken(await family.correct(family.first, COMMA), again["id"])
    once_more = await family.ended(await family.correct(again["id"], COMMA))
    assert (once_more["total"], once_more["created"], await family.totals()) == (3, 2, (5, 5))


async def test_the_rows_of_an_undone_retry_are_again_those_of_its_parent(family: Family) -> None:
    prices = await family.ended(await family.correct(family.first, COMMA))
    assert (prices["created"], prices["errors"]) == (2, 1)
    both = await family.ended(await family.correct(prices["id"], STOCK))
    assert (both["created"], await family.totals()) == (1, (4, 3))
    await family.undo(prices["id"])
    assert (await family.totals(), await family.stored()) == ((2, 3), 2)
    assert says_taken(await family.send(prices["id"], "retry"), family.first)
    again = await family.ended(await family.correct(family.first, COMMA))
    assert (again["total"], again["created"], await family.totals()) == (2, 2, (4, 4))
    assert says_taken(await family.correct(family.first, COMMA), both["id"], again["id"])
    assert await family.stored() == 4


async def test_a_corrected_file_may_have_other_rows_too_and_counts_once(family: Family) -> None:
    some = {"files": {"file": ("w.csv", b"sku;price;stock\nb;1.5;2\nc;2.5;3\n")}}
    for runs in (2, 3):
        sent = await family.ended(await family.send(family.first, "retry", **some))
        assert (sent["errors"], await family.totals()) == (0, (3, runs))
    more = b"sku;price;stock\n" + b"".join(
        b"%s;1;2\n" % each for each in (b"b", b"c", b"d", b"e", b"f", b"g", b"h", b"i")
    )
    await family.ended(await family.send(family.first, "retry", files={"file": ("w.csv", more)}))
    assert (await family.totals(), await family.stored()) == ((7, 4), 9)
