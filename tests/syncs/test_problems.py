"""What is wrong with the rows of an item sync, as a client and the command line see it."""

import httpx

from app.runs.model import AccountId
from app.runtime import Runtime
from tests.support.archives import zip_of
from tests.support.http import Account
from tests.support.item_syncs import SyncEngine
from tests.support.pictures import picture


async def test_problems_name_file_and_line(client: httpx.AsyncClient, an_account: Account, runtime: Runtime) -> None:
    syncs = SyncEngine(runtime, AccountId(an_account.id))
    run = await syncs.run(
        {"a.csv": "ItemCode;SalesPrice\nA;1\nB;x\n", "b.csv": "ItemCode;NextDelivery\n\nC;soon\n"},
        "ClassName;ClassValue;ItemCode\nColor;Red;D\n",
    )
    listed = await client.get(f"/runs/{run.id}/problems", params={"limit": 2}, headers=an_account.headers)
    first = listed.json()
    rest = (await client.get(first["links"]["next"], headers=an_account.headers)).json()
    found = [(each["file"], each["line"], each["row"], each["column"]) for each in first["results"] + rest["results"]]
    assert found == [
        ("/items/a.csv", 3, 2, "SalesPrice"),
        ("/items/b.csv", 3, 3, "NextDelivery"),
        ("/itemfilters/a.csv", 2, 4, "ItemCode"),
    ]
    assert "next" not in rest["links"]
    missing = await client.get("/runs/000000000000000000000000/problems", headers=an_account.headers)
    assert missing.status_code == 404


async def test_every_file_of_the_zip_that_became_no_image_is_listed(
    client: httpx.AsyncClient, an_account: Account, runtime: Runtime
) -> None:
    names = [f"other{number:03}.jpg" for number in range(120)]
    images = zip_of({"A.jpg": picture(), **dict.fromkeys(names, b"x"), "A_2.png": b"none"})
    syncs = SyncEngine(runtime, AccountId(an_account.id))
    run = await syncs.run("ItemCode;SalesPrice\nA;x\nA;1\n", images=images)
    assert (run.state, run.failed, run.report["images"]["failed"]) == ("finished", 1, 121)
    assert len(run.report["images"]["refused"]) == 100
    path, found = f"/runs/{run.id}/problems?limit=50", []
    while path:
        page = (await client.get(path, headers=an_account.headers)).json()
        found += page["results"]
        path = page["links"].get("next")
    assert (found[0]["line"], found[0]["column"]) == (2, "SalesPrice")
    assert {(each["file"], each["line"], each["row"]) for each in found[1:]} == {("/itempictures.zip", None, None)}
    assert [each["value"] for each in found if each["code"] == "unknown_item"] == names
    assert found[1]["message"] == '"other000.jpg" is named after no item'
    assert [each["value"] for each in found if each["code"] == "not_a_picture"] == ["A_2.png"]
