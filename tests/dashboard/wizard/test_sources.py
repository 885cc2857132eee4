"""Files that are elsewhere, in the wizard: a real SFTP server is named, tested, looked at and stored."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.connections.check import SAMPLE_BYTES
from app.connections.connection import list_connections
from app.connections.pull import Pull
from app.dashboard.session import PLAIN_COOKIE
from app.drafts.file import fetch_beginning
from app.errors import Refused
from app.people.sessions import start_session
from app.runs.status import find_run
from app.runtime import Runtime
from tests.conftest import Finish
from tests.dashboard.people import Dashboard, new_dashboard
from tests.dashboard.wizard.pages import SHOP, make_template, next_path, pass_columns, words
from tests.support.http import make_account
from tests.support.servers import PEPPER
from tests.support.workbooks import xlsx
from tests.transports.servers.server import PASSWORD, Certificates, policy
from tests.transports.servers.sftp import SftpServer, sftp_server
from tests.transports.test_connections import body


@pytest.fixture
async def server() -> AsyncIterator[SftpServer]:
    async with sftp_server() as running:
        await running.store("in/a.csv", SHOP)
        await running.store("in/b.csv", SHOP)
        yield running


@pytest.fixture
async def calling(runtime: Runtime, certificates: Certificates) -> AsyncIterator[Dashboard]:
    """Somebody whose service may call servers of this machine."""
    opened = await new_dashboard(replace(runtime, transfer_policy=policy(certificates.client())))
    yield opened
    await opened.close()


def form_of(server: SftpServer, path: str, **more: str) -> dict[str, str]:
    told = {name: str(value) for name, value in body(server.remote).items() if name not in ("name", "transport")}
    return {"way": "sftp", "path": path, **told, **more}


async def test_a_server_is_named_tested_and_looked_at(calling: Dashboard, server: SftpServer, finish: Finish) -> None:
    template = await make_template(calling)
    wrong = await calling.post("/app/imports/new/server", form_of(server, "", host="sftp://x"))
    assert wrong.status_code == 422
    assert "“Path” is required" in words(wrong)
    assert "must be a host name" in words(wrong)
    assert PASSWORD not in wrong.text
    base = next_path(await calling.post("/app/imports/new/server", form_of(server, "in/*.csv"))).removesuffix("/source")
    assert "It is fetched when the import runs" in words(await calling.get(f"{base}/source"))

    next_path(await calling.post(f"{base}/test"))
    shown = words(await calling.get(f"{base}/source"))
    assert "2 files fit the pattern. Each becomes an import of its own." in shown
    next_path(await calling.post(f"{base}/look"))
    shown = words(await calling.get(f"{base}/source"))
    assert "semicolon, UTF-8" in shown
    assert "Mail Points Note" in shown
    assert PASSWORD not in (await calling.get(f"{base}/source")).text

    await calling.post(f"{base}/source")
    assert next_path(await calling.post(f"{base}/type", {"use": f"template:{template}"})) == f"{base}/columns"
    await pass_columns(calling, base)
    assert "The whole file was checked" in words(await calling.get(f"{base}/check"))
    assert next_path(await calling.post(f"{base}/run", {"name": "Both"})) == "/app/jobs"
    assert "2%20imports%20started" in calling.client.cookies["sluice-notice"]


async def test_a_workbook_at_a_server_is_fetched_whole_to_be_looked_at(
    calling: Dashboard, server: SftpServer, finish: Finish
) -> None:
    prices = [["_email", "_points"], *([f"person{number}@example.org", number] for number in range(5_000))]
    workbook = xlsx({"Notes": [["nothing"]], "Prices": [*prices, ["last@example.org", "#N/A"]]})
    assert len(workbook) > SAMPLE_BYTES
    await server.store("in/prices.xlsx", workbook)
    source = form_of(server, "in/prices.xlsx", sheet="Prices")
    base = next_path(await calling.post("/app/imports/new/server", source)).removesuffix("/source")
    next_path(await calling.post(f"{base}/look"))
    shown = words(await calling.get(f"{base}/source"))
    assert "comma, UTF-8" in shown
    assert "_email _points" in shown
    assert "Only the sheet Prices was read, not Notes" in shown
    await calling.post(f"{base}/source")
    assert next_path(await calling.post(f"{base}/type", {"use": "type:contacts"})) == f"{base}/columns"
    await pass_columns(calling, base)
    run_id = next_path(await calling.post(f"{base}/run", {"name": "Prices"})).rpartition("/")[2]
    await finish(calling.runtime, run_id)
    async with calling.runtime.database.read() as session:
        run = await find_run(session, calling.person.account_id, run_id, retention_days=30)
    assert (run.state, run.total, run.created, run.failed) == ("finished", 5_001, 5_000, 1)

    small = replace(calling.runtime, settings=calling.runtime.settings.model_copy(update={"max_file_bytes": 70_000}))
    pull = Pull(server.remote, "in/prices.xlsx")
    with pytest.raises(Refused, match="The file is larger than 70,000 bytes"):
        await fetch_beginning(small, calling.person.account_id, pull, "")


async def test_a_file_is_imported_without_looking_over_a_connection_that_is_stored_on_the_way(
    calling: Dashboard, server: SftpServer, finish: Finish
) -> None:
    template = await make_template(calling)
    stored = form_of(server, "in/a.csv", store="true", name="ERP")
    base = next_path(await calling.post("/app/imports/new/server", stored)).removesuffix("/source")
    async with calling.runtime.database.read() as session:
        [connection] = await list_connections(session, calling.runtime.vault, calling.person.account_id)
    assert connection.declaration.name == "ERP"
    again = await calling.post("/app/imports/new/server", stored)
    assert (again.status_code, "There is already a connection named" in words(again)) == (422, True)
    chosen = {"way": "connection", "connection": connection.id, "path": "in/a.csv"}
    assert next_path(await calling.post(f"{base}/server", chosen)) == f"{base}/source"

    await calling.post(f"{base}/source")
    assert next_path(await calling.post(f"{base}/type", {"use": f"template:{template}"})) == f"{base}/run"
    run_id = next_path(await calling.post(f"{base}/run", {"name": "Unseen"})).rpartition("/")[2]
    await finish(calling.runtime, run_id)

    again_page = words(await calling.get(f"/app/imports/again/{run_id}"))
    assert "It is fetched again, as it is now: SFTP 127.0.0.1" in again_page
    base = next_path(await calling.post(f"/app/imports/again/{run_id}", {"do": "fetch"})).removesuffix("/run")
    assert 'value="Unseen"' in (await calling.get(f"{base}/run")).text


async def test_a_server_that_refuses_is_told_step_by_step(calling: Dashboard, server: SftpServer) -> None:
    wrong = form_of(server, "in/a.csv", password="wrong")
    base = next_path(await calling.post("/app/imports/new/server", wrong)).removesuffix("/source")
    next_path(await calling.post(f"{base}/test"))
    shown = words(await calling.get(f"{base}/source"))
    assert "Sign in: The server rejected the credentials" in shown or "Sign in" in shown
    looked = await calling.post(f"{base}/look")
    assert looked.status_code == 422
    assert "There is a problem" in words(looked)


async def test_whoever_may_not_use_connections_or_templates_goes_on_with_neither(
    calling: Dashboard, server: SftpServer
) -> None:
    template = await make_template(calling)
    stored = form_of(server, "in/a.csv", store="true", name="ERP")
    base = next_path(await calling.post("/app/imports/new/server", stored)).removesuffix("/source")
    await calling.post(f"{base}/source")
    await calling.post(f"{base}/type", {"use": f"template:{template}"})
    narrow = await make_account(calling.runtime, ["imports:read", "imports:write"], calling.account.name)
    async with calling.runtime.database.transaction() as session:
        key_id = narrow.key.partition(":")[0]
        cookie = await start_session(session, calling.person.account_id, pepper=PEPPER, key_id=key_id)
    calling.client.cookies.set(PLAIN_COOKIE, cookie)
    assert "There is no stored connection that you may use" in words(
        await calling.get(f"{base}/source?from=connection")
    )
    assert "Shop" not in words(await calling.get(f"{base}/type"))
    for path, data in (
        ("look", {}),
        ("test", {}),
        ("run", {"name": "x"}),
        ("type", {"use": f"template:{template}"}),
        ("server", {"way": "connection", "connection": "con_1", "path": "a.csv"}),
    ):
        assert (await calling.post(f"{base}/{path}", data)).status_code in (403, 422), path
    assert words(await calling.get(f"{base}/run")).count("Name and run")
