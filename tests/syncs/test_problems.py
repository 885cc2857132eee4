"""What is wrong with the rows of an item sync, as a client and the command line see it."""

import httpx

from app.runs.model import AccountId
from app.runtime import Runtime
from tests.support.http import Account
from tests.support.item_syncs import SyncEngine


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
