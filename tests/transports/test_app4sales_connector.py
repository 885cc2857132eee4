"""The vendor's page "CSV Connector - Item Update", sentence by sentence, on real servers over FTP and SFTP."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from app.runs.model import Run
from app.runtime import Runtime
from app.storage import records
from app.transports.transport import TransferPolicy
from tests.support.archives import zip_of
from tests.support.http import Account
from tests.support.item_syncs import entities
from tests.support.pictures import picture
from tests.transports.conftest import SERVERS
from tests.transports.servers.server import Certificates, Server
from tests.transports.syncing import Syncing

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ITEMS = """\
ItemCode;EanCode;Description;Description2;Description3;Description4;Description5;SearchDescription;SalesPrice;Currency;\
VatIncluded;VatPercentage;LastAvailableStock;Unit;MinimumOrderQuantity;PurchasePackageSize;CreatedDate;NextDelivery;\
FreeItemFields;salesprice1;salesprice2
SHIRT01;4006381333931;Shirt;2;3;4;5;tee;123.45;EUR;I;21;120.5;PCS;1;12;2026-01-31;2026-12-24;\
"Material:Cotton;Origin:Vietnam";99.95;0
CAP;;Cap;;;;;;5;USD;none;;;;;;never;;;;4.5
;1;a row without a code;;;;;;1;;;;;;;;;;;1;1
"""
MORE_ITEMS = "itemcode;salesprice3\nCAP;4\n"
FILTERS = """\
ClassName;ClassValue;ItemCode;Sequence
Color;Red;SHIRT01;1
Color;Blue;CAP;2
Brand;Nike;SHIRT01;1
"""
SHIRT = {
    "itemCode": "SHIRT01",
    "eanCode": "4006381333931",
    "description": "Shirt",
    "description2": "2",
    "description3": "3",
    "description4": "4",
    "description5": "5",
    "searchDescription": "tee",
    "salesPrice": "123.45",
    "currency": "EUR",
    "vatIncluded": "I",
    "vatPercentage": 21,
    "lastAvailableStock": "120.5",
    "unit": "PCS",
    "minimumOrderQuantity": 1,
    "purchasePackageSize": 12,
    "createdDate": "2026-01-31T00:00:00Z",
    "nextDelivery": "2026-12-24",
    "freeItemFields": [{"caption": "Material", "value": "Cotton"}, {"caption": "Origin", "value": "Vietnam"}],
    "classValues": ["Brand:Nike", "Color:Red"],
}


@pytest.fixture(scope="module", params=["ftp", "sftp"])
async def shop(request: pytest.FixtureRequest, certificates: Certificates) -> AsyncIterator[Server]:
    async with SERVERS[request.param](certificates) as server:
        yield server


class Catalogue:
    """What a reader of the account sees, and the sync that fills it."""

    def __init__(self, runtime: Runtime, account: Account, calls: TransferPolicy) -> None:
        self.runtime, self.account_id = runtime, account.id
        self.syncing = Syncing(runtime, account, calls)

    async def sync(self, server: Server, **settings: Any) -> Run:
        sync_id = await self.syncing.create(server.remote, **settings)
        return await self.syncing.finish(await self.syncing.start(sync_id))

    async def read(self, type: str) -> dict[str, Any]:
        async with self.runtime.database.snapshot() as session:
            page = await records.page(session, self.account_id, type, limit=1_000)
        return {row["key"]: json.loads(row["data"], parse_float=str) for row in page.rows}


async def test_the_page_of_the_connector(
    runtime: Runtime, an_account: Account, patient: Callable[..., TransferPolicy], shop: Server
) -> None:
    catalogue = Catalogue(runtime, an_account, patient())
    for path, text in {"items/a.csv": ITEMS, "items/B.CSV": MORE_ITEMS, "itemfilters/f.csv": FILTERS}.items():
        await shop.store(path, text.encode(), NOON)

    pictures = {"SHIRT01_1.jpg": picture(), "SHIRT01_2.jpeg": picture(size=(50, 40)), "CAP_1.PNG": picture("PNG")}
    await shop.store("itempictures.zip", zip_of(pictures | {"read.me": b"no picture"}), NOON)

    run = await catalogue.sync(shop)  # an incremental update is the default

    assert (run.state, run.total, run.created, run.updated, run.skipped) == ("finished", 7, 5, 1, 1), run.fail_detail
    items = await catalogue.read("items")
    now = run.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert items["SHIRT01"] == SHIRT
    assert items["CAP"] == {
        "itemCode": "CAP", "description": "Cap", "salesPrice": 5, "currency": "USD", "vatIncluded": "E",
        "createdDate": now, "classValues": ["Color:Blue"],
    }  # fmt: skip
    assert set(items) == {"SHIRT01", "CAP"}  # records without an ItemCode are skipped
    lists = await catalogue.read("price-lists")
    assert lists == {n: {"id": n, "code": n, "name": f"PriceList {n}"} for n in ("1", "2", "3")}
    prices = await catalogue.read("item-prices")  # zero or empty values are skipped
    assert {key: price["price"] for key, price in prices.items()} == {"1:SHIRT01": "99.95", "2:CAP": "4.5", "3:CAP": 4}
    values = await catalogue.read("item-class-values")
    assert {key: value["sequence"] for key, value in values.items()} == {
        "Color:Red": 1,
        "Color:Blue": 2,
        "Brand:Nike": 1,
    }
    assert set(await catalogue.read("item-classes")) == {"Color", "Brand"}
    images = await catalogue.read("item-images")  # the filename itself is used to link an image to an item
    assert {key: (image["itemCode"], image["sequence"], image["width"]) for key, image in images.items()} == {
        "SHIRT01_1": ("SHIRT01", 1, 60),
        "SHIRT01_2": ("SHIRT01", 2, 50),
        "CAP_1": ("CAP", 1, 60),
    }

    # "Clean data": all that no file names any more is gone, and nobody saw an empty catalogue.
    await shop.clear()
    await shop.store("items/a.csv", b"ItemCode|FreeItemFields|salesprice1\nCAP|a,b|3\nBAG||\n", NOON)
    await shop.store("itemfilters/f.csv", b"ClassName|ClassValue|ItemCode\nColor|Blue|CAP\n", NOON)
    await shop.store("itempictures.zip", zip_of({"BAG_1.jpg": picture()}), NOON)  # skipped: images come from PIM
    old: dict[str, Any] = {"images_only_from_pim": True, "hide_free_field_caption": True}
    old |= {"use_deprecated_free_fields_format": True}
    run = await catalogue.sync(shop, mode="full", separator="|", max_removed_share=None, **old)

    assert (run.state, run.removed) == ("finished", 1), run.fail_detail
    items = await catalogue.read("items")
    assert set(items) == {"CAP", "BAG"}
    assert items["CAP"]["freeItemFields"] == [{"caption": "", "value": "a.b"}]
    assert set(await catalogue.read("item-prices")) == {"1:CAP"}
    assert set(await catalogue.read("price-lists")) == {"1"}
    assert set(await catalogue.read("item-class-values")) == {"Color:Blue"}
    assert set(await catalogue.read("item-classes")) == {"Color"}
    assert set(await catalogue.read("item-images")) == {"CAP_1"}  # its item is still there
    assert entities(run)["items"] == {"added": 1, "changed": 1, "removed": 1}
