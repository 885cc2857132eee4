"""The pages of connections: who may do what there, what they say, and how they work in a browser."""

from typing import get_args

import pytest
from sqlalchemy import text

from app.connections.declaration import SECRETS, SETTINGS
from app.connections.outcome import CheckStep
from app.dashboard.views.connections.fields import FIELDS, TRANSPORTS, list_members
from app.dashboard.views.connections.steps import PLANNED, REMEDIES, STEP_WORDS, show_steps
from app.transports import TRANSPORTS as SPOKEN
from app.transports.failed import Step
from app.transports.options import RULES
from tests.cli.scripted import Said, Service, playing
from tests.dashboard.browser import check_page
from tests.dashboard.conftest import Visit
from tests.dashboard.people import Dashboard
from tests.support.live import SOURCE_HOST

CONNECTIONS = "/app/settings/connections"
FTP = {"transport": "ftp", "name": "shop", "host": "files.example.com", "user": "ana", "password": "mArKeR-0123456789"}


async def store(dashboard: Dashboard, **given: str) -> str:
    """The path of a new connection's page."""
    made = await dashboard.post(f"{CONNECTIONS}/new", FTP | given)
    assert made.status_code == 303, made.text
    return str(made.headers["location"])


def test_every_transport_field_and_step_has_words() -> None:
    assert TRANSPORTS.keys() == RULES.keys() == SPOKEN.keys() - {"smtp"}
    assert FIELDS.keys() == SETTINGS.keys() | SECRETS.keys()
    for transport in RULES:
        known = {SETTINGS.get(each) or SECRETS[each] for each in list_members(transport)}
        assert known == RULES[transport].keys() - {"headers"}, transport
    steps = {*get_args(Step), *(each for planned in PLANNED.values() for each in planned)}
    assert steps == STEP_WORDS.keys() == REMEDIES.keys()


def test_the_steps_after_the_one_that_failed_are_shown_as_not_reached() -> None:
    def tones(*steps: CheckStep) -> list[tuple[str, str]]:
        return [(each.words, each.tone) for each in show_steps("export", steps)]

    lost = tones(CheckStep("connect"), CheckStep("authenticate", error="No"))
    assert lost == [("Connect", "ok"), ("Sign in", "bad"), ("Write a small file", "idle"), ("Delete it again", "idle")]
    all_well = show_steps("export", [CheckStep("connect"), CheckStep("write", "71 bytes"), CheckStep("delete")])
    assert [each.tone for each in all_well] == ["ok", "ok", "ok"]
    assert all_well[-1].detail == "The test file was deleted again."


async def test_what_is_wrong_stands_at_its_field_and_secrets_do_not_come_back(dashboard: Dashboard) -> None:
    sent = FTP | {"transport": "sftp", "name": "", "host": "https://files.example.com", "port": "abc"}
    sent |= {"privateKey": f"-----BEGIN {FTP['password']}", "hostKey": "trust-on-first-use"}
    page = await dashboard.post(f"{CONNECTIONS}/new", sent)
    assert page.status_code == 422
    for field, words in (
        ("name", "Name is required"),
        ("host", "Host must be a host name"),
        ("port", "Port must be a number"),
    ):
        assert f'<a href="#{field}">' in page.text
        assert words in page.text
    assert 'value="https://files.example.com"' in page.text
    assert FTP["password"] not in page.text
    assert "Type it again" in page.text


async def test_viewers_see_settings_and_change_nothing(dashboard: Dashboard) -> None:
    own = await store(dashboard)
    for role in ("viewer", "operator"):
        other = await dashboard.as_role(role)
        page = (await other.get(own)).text
        assert "files.example.com" in page
        for never in ("Test for Import</button>", "Save connection", "Remove connection", FTP["password"]):
            assert never not in page, never
        assert "New connection" not in (await other.get(CONNECTIONS)).text
        for path in (f"{CONNECTIONS}/new", own, f"{own}/test-import", f"{own}/test-export", f"{own}/delete"):
            assert (await other.post(path, FTP)).status_code == 403, path
        refused = await other.get(f"{own}/delete")
        assert refused.status_code == 403
        assert f"Ask an admin of {dashboard.account.name}" in refused.text


async def test_a_connection_is_removed_after_it_was_told_what_uses_it(dashboard: Dashboard) -> None:
    own = await store(dashboard, name="<b>shop & co</b>")
    body = {"name": "Night", "connectionId": own.rpartition("/")[2], "request": {"path": "*.csv", "type": "contacts"}}
    made = await dashboard.client.post("/feeds", json=body, headers=dashboard.account.headers)
    assert made.status_code == 201, made.text
    page = (await dashboard.get(f"{own}/delete")).text
    assert "1 thing uses it" in page
    assert f'Feed <a href="/app/feeds/{made.json()["id"]}">Night</a>' in page
    assert "<b>shop" not in page, "a name is text"
    gone = await dashboard.post(f"{own}/delete")
    assert gone.headers["location"] == CONNECTIONS
    listed = (await dashboard.get(CONNECTIONS)).text
    assert "Connection &lt;b&gt;shop &amp; co&lt;/b&gt; removed." in listed
    assert "No connections yet. You need one only for files on other servers." in listed
    assert (await dashboard.get(own)).status_code == 404


async def test_locked_secrets_are_told_and_can_be_typed_again(dashboard: Dashboard) -> None:
    own = await store(dashboard)
    async with dashboard.runtime.database.transaction() as session:
        found = {"id": own.rpartition("/")[2]}
        await session.execute(text("UPDATE connections SET secret = 'x' WHERE id = :id"), found)
    page = (await dashboard.get(own)).text
    assert "The secrets of this connection are locked" in page
    assert "SLUICE_VAULT_KEYS" in page
    assert "Locked" in (await dashboard.get(CONNECTIONS)).text
    tested = await dashboard.post(f"{own}/test-import", {"import-path": "a.csv"})
    assert tested.status_code == 409
    assert "cannot be decrypted with the keys of this service" in tested.text
    assert (await dashboard.post(own, FTP)).status_code == 303
    assert "locked" not in (await dashboard.get(own)).text


async def test_a_path_that_cannot_be_tested_is_refused_at_its_field(dashboard: Dashboard) -> None:
    own = await store(dashboard)
    assert (await dashboard.get(f"{CONNECTIONS}/con_of_nobody")).status_code == 404
    assert (await dashboard.post("/app/settings/connections/con_of_nobody/test-import")).status_code == 404
    shown = await dashboard.get(f"{CONNECTIONS}/new?transport=smtp")
    assert "How is the server reached?" in shown.text
    assert own in (await dashboard.get(CONNECTIONS)).text


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_a_connection_is_made_and_tested_in_a_browser(visit: Visit, script: bool) -> None:
    file = Said(200, b"_email\nana@example.com\n", {"ETag": '"1"'})
    with playing(Service([], [file]), SOURCE_HOST) as service:
        page = await visit(CONNECTIONS, script=script)
        await page.get_by_role("link", name="New connection").click()
        await page.get_by_role("link", name="HTTP", exact=False).last.click()
        await page.get_by_label("Name").fill("partner")
        await page.get_by_label("Host").fill(SOURCE_HOST)
        await page.get_by_label("Port").fill(service.url.rpartition(":")[2])
        await page.get_by_label("Password").fill("mArKeR-0123456789")
        await page.get_by_role("button", name="Create connection").click()
        await page.get_by_label("File").fill("/people.csv")
        await page.get_by_role("button", name="Test for Import").click()
        await page.get_by_text("Works").wait_for()
        assert "mArKeR" not in await page.content()
        own, new = page.url.partition("#")[0], f"{CONNECTIONS}/new"
        for address in (own, f"{own}/delete", new, f"{new}?transport=sftp", CONNECTIONS) if script else ():
            await page.goto(address)
            await check_page(page)
