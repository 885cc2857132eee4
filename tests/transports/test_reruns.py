"""An import whose file was fetched is run again from where it came, without anything being sent."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from app.transports.transport import TransferPolicy
from tests.conftest import Finish, NewAccount
from tests.support.http import Account, app_on, client_of
from tests.transports.servers.server import PASSWORD, Server
from tests.transports.servers.sftp import sftp_server
from tests.transports.test_connections import body, made

Patient = Callable[..., TransferPolicy]
OPTIONS = {"type": "contacts", "delimiter": ",", "overrideExisting": True, "updateOnlyEmptyFields": False}
FIRST, AGAIN = b"_email,_name\nana@example.com,Ana\n", b"_email,_name\nana@example.com,Zoe\n"


@pytest.fixture
async def pulls(runtime: Runtime, patient: Patient) -> Runtime:
    return replace(runtime, transfer_policy=patient())


@pytest.fixture
async def api(pulls: Runtime, an_account: Account) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app_on(pulls)) as client:
        client.headers.update(an_account.headers)
        yield client


@pytest.fixture
async def store() -> AsyncIterator[Server]:
    """A server with SFTP."""
    async with sftp_server() as running:
        yield running


async def ended(api: httpx.AsyncClient, pulls: Runtime, finish: Finish, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    await finish(pulls, answer.json()["id"])
    return dict((await api.get(f"/imports/{answer.json()['id']}")).json())


def sealed(remote: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in remote.items() if name != "name"}


async def test_a_file_at_a_connection_is_fetched_again_as_the_connection_is_now(
    store: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    await store.store("in/a.csv", FIRST)
    connection = await made(api, body(store.remote))
    asked = OPTIONS | {"connectionId": connection["id"], "path": "in/a.csv", "name": "Nightly"}
    first = await ended(api, pulls, finish, await api.post("/imports", json=asked))
    assert (first["source"]["connectionId"], first["source"]["complete"]) == (connection["id"], True)

    await store.store("in/a.csv", AGAIN)
    wrong = {"name": "shop", "transport": "sftp", "host": "a.example.com", "hostKey": f"SHA256:{'a' * 43}"}
    assert (await api.put(f"/connections/{connection['id']}", json=wrong | {"password": "x"})).status_code == 200
    restored = await api.put(f"/connections/{connection['id']}", json=body(store.remote))
    assert restored.status_code == 200, restored.text
    again = await ended(api, pulls, finish, await api.post(f"/imports/{first['id']}/rerun"))
    assert (again["parentId"], again["name"], again["updated"]) == (first["id"], "Nightly", 1)
    assert again["source"] == first["source"]

    await store.store("in/a.csv", b"_email,name\nana@example.com,Ana\n")
    other = await ended(api, pulls, finish, await api.post(f"/imports/{again['id']}/rerun", json={}))
    assert (other["status"], other["failure"]["code"]) == ("error", "file_refused")
    lacks = "The file lacks `_name`, which the earlier file had, and has `name`, which the earlier file did not have"
    assert other["failure"]["detail"].startswith(lacks)
    # What never arrived is compared with what arrived last.
    repeated = await ended(api, pulls, finish, await api.post(f"/imports/{other['id']}/rerun"))
    assert repeated["failure"]["detail"].startswith(lacks)


async def test_files_that_a_pattern_found_are_run_again_one_by_one(
    store: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    await store.store("in/a.csv", FIRST)
    await store.store("in/what?.csv", FIRST)  # only on the web does a question mark begin a query
    connection = await made(api, body(store.remote))
    asked = {"path": "in/*.csv", "type": "contacts"}
    begun = await api.post(f"/connections/{connection['id']}/imports", json=asked)
    assert {each["path"] for each in begun.json()["results"]} == {"in/a.csv", "in/what?.csv"}
    for each in begun.json()["results"]:
        await finish(pulls, each["importId"])
        again = await ended(api, pulls, finish, await api.post(f"/imports/{each['importId']}/rerun"))
        assert (again["source"]["path"], again["success"]) == (each["path"], 1)


async def test_a_connection_that_is_gone_or_closed_to_the_key_is_not_used(
    store: Server, api: httpx.AsyncClient, pulls: Runtime, an_account: Account, a_key: NewAccount, finish: Finish
) -> None:
    await store.store("in/a.csv", FIRST)
    connection = await made(api, body(store.remote))
    asked = OPTIONS | {"connectionId": connection["id"], "path": "in/a.csv"}
    first = await ended(api, pulls, finish, await api.post("/imports", json=asked))
    path = f"/imports/{first['id']}/rerun"

    importer = await a_key(["imports:write"], an_account.name)
    refused = await api.post(path, headers=importer.headers)
    assert (refused.status_code, "`connections:read`" in refused.json()["detail"]) == (403, True)

    assert (await api.delete(f"/connections/{connection['id']}")).status_code == 204
    gone = await api.post(path)
    told = {"path": "source", "reason": "There is no connection with this id any more. Send a `source`"}
    assert (gone.status_code, gone.json()["errors"]) == (422, [told])
    source = sealed(body(store.remote)) | {"path": "in/a.csv"}
    again = await ended(api, pulls, finish, await api.post(path, json={"source": source}))
    assert (again["parentId"], again["unchanged"], PASSWORD in str(again)) == (first["id"], 1, False)


async def test_an_address_of_the_web_without_secrets_is_enough(
    web: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    await web.store("in/a.csv", FIRST)
    open_remote = {"transport": "https", "host": web.remote.host, "port": web.remote.port}
    for source, complete in (
        (open_remote | {"path": "in/a.csv"}, True),
        (open_remote | {"path": "in/a.csv?token=s3cret"}, False),
        (sealed(body(web.remote)) | {"path": "in/a.csv"}, False),
    ):
        first = await ended(api, pulls, finish, await api.post("/imports", json=OPTIONS | {"source": source}))
        assert first["source"].get("complete", False) is complete, source
        again = await api.post(f"/imports/{first['id']}/rerun/")
        if complete:
            assert (await ended(api, pulls, finish, again))["source"] == first["source"]
            continue
        assert (again.status_code, again.json()["errors"][0]["path"]) == (422, "source")
        assert "are not kept" in again.json()["detail"]
        repeated = await api.post(f"/imports/{first['id']}/rerun", json={"source": source})
        assert (await ended(api, pulls, finish, repeated))["source"] == first["source"]


async def test_a_rerun_that_fetches_its_file_takes_none(
    web: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    await web.store("in/a.csv", FIRST)
    source = {"transport": "https", "host": web.remote.host, "port": web.remote.port, "path": "in/a.csv"}
    first = (await api.post("/imports", json=OPTIONS | {"source": source})).json()
    sent = await api.post(f"/imports/{first['id']}/rerun", files={"file": ("a.csv", AGAIN)})
    assert sent.json()["errors"] == [
        {"path": "file", "reason": "This import fetches its file, so its rerun takes no `file`"}
    ]
    wrong = await api.post(f"/imports/{first['id']}/rerun", json={"source": {"transport": "gopher"}})
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (422, "source.transport")
    broken = await api.post(f"/imports/{first['id']}/rerun", content=b"{")
    assert broken.status_code == 400
