"""Product imports of Cordial's surface whose file is fetched from servers of each protocol."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from app.runtime import Runtime
from app.transports.transport import TransferPolicy
from tests.support import http
from tests.support.http import Account
from tests.surfaces.cordial.conftest import Cordial
from tests.transports.servers.server import PASSWORD, USER, Server, black_hole
from tests.transports.servers.sftp import sftp_server

FILE = b"productID,productName,price\nP1,One,1.50\nP2,,2\n"


def source_of(server: Server, path: str) -> dict[str, Any]:
    """The place of a server as a body spells it."""
    remote = server.remote
    if remote.scheme == "s3":
        return {
            "transport": "S3",
            "aws_access_key_id": remote.secret("access_key"),
            "aws_secret_access_key": remote.secret("secret_key"),
            "aws_bucket": remote.text("bucket"),
            "aws_region": remote.text("region"),
            "aws_endpoint": remote.text("endpoint"),
            "path": path,
        }
    login = {"username": USER, "password": PASSWORD}
    if remote.scheme in ("http", "https"):
        return {"transport": remote.scheme, "url": f"{remote.scheme}://{remote.host}:{remote.port}/{path}", **login}
    options = {name: remote.text(name) for name in ("tls", "host_key") if name in remote.options}
    at = {"server": remote.host, "port": str(remote.port), "path": path}
    return {"transport": remote.scheme.upper(), **at, **login, **options}


@pytest.fixture
async def pulling(
    runtime: Runtime, an_account: Account, patient: Callable[..., TransferPolicy]
) -> AsyncIterator[Cordial]:
    """The surface on a runtime that may call this machine and trusts the tests' authority."""
    here = replace(runtime, transfer_policy=patient())
    async with http.client_of(http.app_on(here)) as client:
        yield Cordial(client, here, an_account)


async def test_a_file_is_fetched_by_every_transport(pulling: Cordial, server: Server) -> None:
    await server.store("files/products.csv", FILE)
    source = source_of(server, "files/products.csv")
    body = {"source": source, "hasHeader": True, "confirmEmail": "jsmith@example.com", "unknown": 1}
    answer = await pulling.post("/v2/productimports", body)
    assert answer.status_code == 200, answer.text
    waiting = await pulling.get(f"/v2/jobs/{answer.json()['jobID']}")
    assert (waiting["status"], waiting["totalItems"]) == ("Pending", None)
    job = await pulling.job(answer)
    assert (job["status"], job["inserted"], job["rejected"], job["totalItems"]) == ("Done", 1, 1, 2)
    assert await pulling.product("P1") == {"productID": "P1", "productName": "One", "price": 1.5}


async def test_columns_and_a_null_marker_hold_for_a_fetched_file(pulling: Cordial, web: Any) -> None:
    await pulling.save(productID="P1", productName="One", price=1)
    await web.store("p", b"P1,no,2\n")
    body = {"source": source_of(web, "p"), "columns": ["productID", "productName", "price"], "nullMarker": "no"}
    job = await pulling.job(await pulling.post("/v2/productimports", body))
    assert job["updated"] == 1
    assert await pulling.product("P1") == {"productID": "P1", "productName": "One", "price": 2}


async def test_json_lines_are_recognized_by_their_content(pulling: Cordial, web: Any) -> None:
    await web.store("p", b'{"productID":"P1","productName":"One","tags":["a"]}\n')
    body = {"source": source_of(web, "p"), "hasHeader": True}
    job = await pulling.job(await pulling.post("/v2/productimports", body))
    assert job["inserted"] == 1
    assert (await pulling.product("P1"))["tags"] == ["a"]


async def test_a_file_that_is_missing_on_the_web_fails_the_job(pulling: Cordial, web: Any) -> None:
    answer = await pulling.post("/v2/productimports", {"source": source_of(web, "no.csv"), "hasHeader": True})
    job = await pulling.job(answer)
    assert (job["status"], job["message"]) == ("Failed", "The file does not exist")


async def test_a_source_is_checked_while_the_request_waits(pulling: Cordial, server: Server) -> None:
    if server.remote.scheme in ("http", "https"):
        pytest.skip("of these only the address is looked at")
    await server.store("yes.csv", FILE)
    wrong = "aws_secret_access_key" if server.remote.scheme == "s3" else "password"
    sources = {
        "missing": source_of(server, "no.csv"),
        "wrong": source_of(server, "yes.csv") | {wrong: "wrong-marker"},
    }
    told = {}
    for name, source in sources.items():
        answer = await pulling.post("/v2/productimports", {"source": source, "hasHeader": True})
        assert (answer.status_code, answer.json()["errorKey"]) == (422, "STORAGE_CONNECTION_ERROR"), answer.text
        assert "marker" not in answer.text
        told[name] = answer.json()["message"]
    assert told["missing"].startswith("Invalid file path 'no.csv'.")
    assert told["wrong"] == "Login failed."
    assert await pulling.get("/v2/jobs") == []


async def test_a_server_that_says_nothing_costs_five_seconds(pulling: Cordial) -> None:
    with black_hole() as port:
        login = {"username": "u", "password": "p", "path": "a"}
        source = {"transport": "sftp", "server": "127.0.0.1", "port": port, **login}
        began = time.monotonic()
        answer = await pulling.post("/v2/productimports", {"source": source, "hasHeader": True})
    assert time.monotonic() - began < 8
    assert answer.json()["message"].startswith(f"Unable to open connection to 127.0.0.1 : {port}.")


@pytest.mark.parametrize("passphrase", [None, "pass phräse"])
async def test_a_private_key_takes_the_place_of_the_password(pulling: Cordial, passphrase: str | None) -> None:
    async with sftp_server() as server:
        await server.store("files/products.csv", FILE)
        source = source_of(server, "files/products.csv")
        del source["password"]
        source["privateKey"] = server.keys.user.export_private_key(passphrase=passphrase).decode()
        source |= {"passphrase": passphrase} if passphrase else {}
        answer = await pulling.post("/v2/productimports", {"source": source, "hasHeader": True})
        assert answer.status_code == 200, answer.text
        job = await pulling.job(answer)
        assert (job["status"], job["inserted"]) == ("Done", 1)
        assert server.faults.passwords == []


@pytest.mark.parametrize(
    ("transport", "key", "field", "reason"),
    [
        ("sftp", None, "source.password", "The source.password field is required."),
        ("ftp", "key", "source.password", "The source.password field is required."),
        ("sftp", "key", "source.privateKey", "The source.privateKey must be a private key in PEM format"),
        ("sftp", 7, "source.privateKey", "The source.privateKey must be a string."),
    ],
)
async def test_a_private_key_that_is_none_is_refused_in_the_vendors_words(
    pulling: Cordial, transport: str, key: object, field: str, reason: str
) -> None:
    source = {"transport": transport, "server": "files.example.com", "username": "u", "path": "a.csv"}
    answer = await pulling.post("/v2/productimports", {"source": source | {"privateKey": key}, "hasHeader": True})
    assert answer.status_code == 422, answer.text
    assert answer.json()["messages"]["validationErrors"][field][0].startswith(reason)
