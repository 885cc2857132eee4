"""Coupon sets: made and renamed by PUT, counted by GET."""

import httpx
import pytest

from app.surfaces.native.wire.declared.coupon_sets import CouponSet
from tests.support.http import Account


async def test_a_set_is_made_then_renamed(client: httpx.AsyncClient, an_account: Account) -> None:
    new = await client.put("/coupon-sets/spring", headers=an_account.headers, json={"name": "Spring"})
    renamed = await client.put("/coupon-sets/spring", headers=an_account.headers, json={"name": "Frühling"})
    read = await client.get("/coupon-sets/spring", headers=an_account.headers)
    assert (new.status_code, renamed.status_code) == (201, 200)
    assert read.json() == renamed.json()
    assert (read.json()["name"], read.json()["quantity"]) == ("Frühling", 0)
    assert CouponSet.model_validate(read.json())


async def test_a_set_without_a_name_is_called_by_its_id(client: httpx.AsyncClient, an_account: Account) -> None:
    assert (await client.put("/coupon-sets/x", headers=an_account.headers, json={})).json()["name"] == "x"


@pytest.mark.parametrize("name", ["", 1, None, "a\0b", "\x1b[2J", "x" * 256, ["x"]])
async def test_an_invalid_name_is_refused(client: httpx.AsyncClient, an_account: Account, name: object) -> None:
    answer = await client.put("/coupon-sets/x", headers=an_account.headers, json={"name": name})
    assert answer.status_code == 422
    assert [each["path"] for each in answer.json()["errors"]] == ["name"]


async def test_an_unknown_set_is_not_found(client: httpx.AsyncClient, an_account: Account) -> None:
    assert (await client.get("/coupon-sets/nothing", headers=an_account.headers)).status_code == 404
