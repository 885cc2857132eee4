"""A shop's catalogue over HTTP: imported under the headings of Reaction's connector, exported, and sent back."""

import csv
import io
from typing import Any

import httpx

from app.resources.registry import BUILT_IN
from app.runtime import Runtime
from tests.conftest import Finish
from tests.support.http import Account
from tests.surfaces.native.test_exports import download, export

TAGS = "Name,Slug,Parent Tag Slug,Is Visible\nOutdoor,,,\nBoots,,outdoor,0\n"
PRODUCTS = """Title,Parent title,Option title,Tag Slugs,Metafields,Price,Taxable,Is Visible
Walking boots,,,outdoor || boots,Material : leather || Sole : rubber,,1,
Brown,Walking boots,,,,,0,FALSE
"Brown, 42",Brown,42,,,149.90,,true
"Brown, 43",Brown,,,,149.90,,
"""


async def test_what_the_connector_reads_is_imported_exported_and_unchanged(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime, finish: Finish
) -> None:
    async def send(type: str, file: bytes) -> dict[str, Any]:
        data, files = {"type": type}, {"file": ("file.csv", file)}
        run = (await client.post("/imports", headers=an_account.headers, data=data, files=files)).json()
        await finish(runtime, run["id"])
        shown: dict[str, Any] = (await client.get(f"/imports/{run['id']}", headers=an_account.headers)).json()
        return shown

    assert (await send("tags", TAGS.encode()))["created"] == 2
    products = await send("shop-products", PRODUCTS.encode())
    assert (products["created"], products["errors"]) == (3, 1)
    problems = (await client.get(f"/imports/{products['id']}/problems", headers=an_account.headers)).json()["results"]
    # It made no record, so its row has nothing to be called by.
    assert [(each["row"], each["code"], each["field"], each["key"]) for each in problems] == [
        (4, "required", "optionTitle", "")
    ]

    for name, records in (("tags", 2), ("shop-products", 3)):
        file = (
            await download(client, an_account, await export(client, an_account, runtime, finish, type=name))
        ).content
        rows = list(csv.DictReader(io.StringIO(file.decode())))
        assert list(rows[0]) == [field.id for field in BUILT_IN[name].fields if not field.alias_of]
        again = await send(name, file)
        assert (again["unchanged"], again["total"]) == (records, records)
    brown = next(row for row in rows if row["title"] == "Brown")
    boots = next(row for row in rows if row["title"] == "Walking boots")
    assert (brown["isVisible"], brown["taxable"], boots["taxable"]) == ("false", "false", "true")
    assert brown["parentId"] == boots["_id"]
    assert len(boots["tagIds"].split(" || ")) == 2
    assert boots["metafields"] == "Material : leather || Sole : rubber"
