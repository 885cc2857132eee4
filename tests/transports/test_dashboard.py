"""Connections and deliveries as somebody sees and does them on pages, against real servers."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from app.runtime import Runtime
from app.transports.transport import TransferPolicy
from tests.conftest import Finish
from tests.dashboard.people import Dashboard, new_dashboard
from tests.support.http import PARTS
from tests.transports.servers.server import Server
from tests.transports.test_connections import FILE, body

Patient = Callable[..., TransferPolicy]
FORMULA = b"_email,_name\na@example.com,=1+1\n"
SETTINGS = "/app/settings/connections"


@pytest.fixture
async def pages(runtime: Runtime, patient: Patient) -> AsyncIterator[Dashboard]:
    opened = await new_dashboard(replace(runtime, transfer_policy=patient()))
    yield opened
    await opened.close()


def typed(server: Server, **more: str) -> dict[str, Any]:
    """The server as somebody types it into the form."""
    given = {
        name: str(value).lower() if isinstance(value, bool) else value for name, value in body(server.remote).items()
    }
    return given | more


def secrets_of(server: Server) -> list[str]:
    remote = server.remote
    given = [remote.password, *(each for each in remote.options.values() if isinstance(each, SecretStr))]
    return [each.get_secret_value() for each in given if each]


async def read(pages: Dashboard, path: str, server: Server) -> str:
    """The page, which shows no secret."""
    answer = await pages.get(path)
    assert answer.status_code == 200, answer.text
    assert not [secret for secret in secrets_of(server) if secret in answer.text]
    return answer.text


async def store(pages: Dashboard, server: Server) -> str:
    """The path of a new connection's page."""
    made = await pages.post(f"{SETTINGS}/new", typed(server))
    assert made.status_code == 303, made.text
    return str(made.headers["location"])


async def test_a_connection_is_stored_tested_and_listed(server: Server, pages: Dashboard) -> None:
    await server.store("in/a.csv", FILE)
    form = await read(pages, f"{SETTINGS}/new?transport={server.remote.scheme}", server)
    assert all(f'name="{field}"' in form for field in typed(server))
    own = await store(pages, server)
    assert "Not tested" in await read(pages, own, server)

    wrong = await pages.post(f"{own}/test-import", {"import-path": "in/b.csv"})
    assert wrong.headers["location"] == f"{own}#test-import"
    page = await read(pages, own, server)
    assert "Failed: find the file" in page
    assert "The file does not exist" in page
    assert "Check the path" in page, "it says what to do"
    assert "Not reached" in page
    await pages.post(f"{own}/test-import", {"import-path": "in/a.csv"})
    page = await read(pages, own, server)
    assert f"Read its beginning</strong>: {len(FILE)} bytes" in page
    assert 'value="in/a.csv"' in page, "what was tested can be tested again"

    if server.writes:
        await pages.post(f"{own}/test-export", {"export-path": "in"})
        assert "The test file was deleted again." in await read(pages, own, server)
    else:
        assert "Test for Export" not in page
    assert (await read(pages, SETTINGS, server)).count("Works") == (2 if server.writes else 1)
    assert await server.names() == {"in/a.csv"}


async def test_secrets_stay_when_they_come_empty_and_are_asked_for_anew_for_another_server(
    server: Server, pages: Dashboard
) -> None:
    await server.store("a.csv", FILE)
    own = await store(pages, server)
    secrets = {"password", "privateKey", "passphrase", "accessKey", "secretKey", "sessionToken"}
    without = {name: "" if name in secrets else value for name, value in typed(server, name="renamed").items()}
    assert (await pages.post(own, without)).status_code == 303
    await pages.post(f"{own}/test-import", {"import-path": "a.csv"})
    assert "Works" in await read(pages, own, server)
    assert "Stored. Leave empty to keep it." in await read(pages, own, server)

    moved = {"endpoint": "https://s3.example.com"} if server.remote.scheme == "s3" else {"host": "other.example.com"}
    refused = await pages.post(own, without | moved)
    assert refused.status_code == 422
    assert "a stored secret is never sent to another server" in refused.text
    assert next(iter(moved.values())) in refused.text, "what was typed stays"
    assert "renamed" in await read(pages, own, server)


@pytest.mark.usefixtures("writes")
async def test_an_export_is_made_tested_delivered_and_made_again(
    server: Server, pages: Dashboard, finish: Finish
) -> None:
    imported = await pages.client.post(
        "/imports",
        headers=pages.account.headers,
        data=PARTS,
        files={"file": ("a.csv", FORMULA)},
    )
    await finish(pages.runtime, imported.json()["id"])
    await server.store("out/old.csv", b"")
    connection = (await store(pages, server)).rpartition("/")[2]
    wanted = {"type": "contacts", "name": "Every contact", "mappingId": "default", "format": "csv"}
    wanted |= {"destination-0-connection": connection, "destination-0-path": "out/{type}.csv"}

    tested = await pages.post("/app/exports/new", wanted | {"do": "test-0"})
    assert "The test file was deleted again." in tested.text
    assert 'value="out/{type}.csv"' in tested.text
    started = await pages.post("/app/exports/new", wanted)
    assert started.status_code == 303, started.text
    export_id = started.headers["location"].rpartition("/")[2]
    await finish(pages.runtime, export_id)
    assert await server.stored("out/contacts.csv") == (await pages.get(f"/app/exports/{export_id}/file")).content
    for_people = await pages.get(f"/app/exports/{export_id}/file?spreadsheet=true")
    assert "'=1+1" in for_people.text

    run_page = await read(pages, f"/app/runs/{export_id}", server)
    for words in ("Delivered", "out/contacts.csv", "Download for spreadsheets", "kept until", ">shop</a>"):
        assert words in run_page, words
    assert "Try again" not in run_page

    again = await read(pages, f"/app/exports/again/{export_id}", server)
    assert 'value="Every contact"' in again
    assert f'<option value="{connection}" selected>' in again


@pytest.mark.usefixtures("writes")
async def test_a_delivery_that_failed_says_where_and_is_tried_again(
    server: Server, pages: Dashboard, finish: Finish
) -> None:
    connection = (await store(pages, server)).rpartition("/")[2]
    wanted = {"type": "contacts", "destination-0-connection": connection, "destination-0-path": "out/a.csv"}
    server.permit("read")
    started = (await pages.post("/app/exports/new", wanted)).headers["location"]
    await finish(pages.runtime, started.rpartition("/")[2])
    failed = await read(pages, started.replace("/exports/", "/runs/"), server)
    for words in ("Finished, not delivered", "Failed: ", "Try again what failed", "Download</a>"):
        assert words in failed, words
    server.permit("read", "write", "delete")
    await server.store("out/old.csv", b"")
    again = (await pages.post(f"{started}/retry")).headers["location"]
    assert again != started
    await finish(pages.runtime, again.rpartition("/")[2])
    assert "Delivered" in await read(pages, again.replace("/exports/", "/runs/"), server)
    told = await pages.post(f"{started}/retry")
    assert told.headers["location"] == started, "once is enough"
