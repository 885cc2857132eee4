"""Who belongs to two accounts, or is to: no admin of one comes into the other, and no page or body changes sides."""

import asyncio
from collections.abc import AsyncIterator
from secrets import token_hex

import httpx
import pytest

from app.auth.identity import ensure_live
from app.errors import Refused
from app.people import members, operator
from app.people.links import NOT_SET, link_path
from app.people.members import Invitation
from app.people.sessions import find_session
from app.runs.model import AccountId
from app.storage.people import members as stored
from tests.dashboard.people import OWN, PASSWORD, Dashboard, make_person, new_dashboard
from tests.support.http import make_account
from tests.support.servers import PEPPER

ANOTHER = "a lighthouse in the desert"


@pytest.fixture
async def stranger(dashboard: Dashboard) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is not signed in."""
    transport = httpx.ASGITransport(app=dashboard.app, client=(f"198.51.100.{dashboard.account.id % 250}", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://sluice.test", headers=OWN) as client:
        yield client


async def invite(dashboard: Dashboard, email: str) -> str:
    """The path of the link that an admin of the account gets."""
    async with dashboard.runtime.database.transaction() as session:
        account_id, wanted = AccountId(dashboard.account.id), Invitation(email, "", "viewer")
        _, token = await members.invite(session, account_id, wanted, pepper=PEPPER, created_by=None)
    return link_path(token)


async def enroll(dashboard: Dashboard, email: str) -> operator.EnrolledPerson:
    """As `sluice person create` does, in another account."""
    other = await make_account(dashboard.runtime)
    async with dashboard.runtime.database.transaction() as session:
        return await operator.enroll(session, other.name, Invitation(email, "", "admin"), pepper=PEPPER)


@pytest.mark.parametrize("first", ["invited", "enrolled"])
async def test_an_admin_sets_no_password_of_somebody_whom_the_operator_has_let_in_elsewhere(
    dashboard: Dashboard, stranger: httpx.AsyncClient, first: str
) -> None:
    email = f"victim-{token_hex(4)}@shop.example"
    early = await invite(dashboard, email) if first == "invited" else ""
    let_in = await enroll(dashboard, email)
    path = early or await invite(dashboard, email)
    assert "Choose a password" not in (await stranger.get(path)).text
    taken = await stranger.post(path, data={"password": ANOTHER})
    assert taken.status_code == 401
    assert NOT_SET in taken.text

    assert let_in.sets_password
    assert (await stranger.post(link_path(let_in.token), data={"password": ANOTHER})).status_code == 303
    assert (await stranger.post(path, data={"password": ANOTHER})).status_code == 303, "both links in their order"


async def test_whoever_took_an_address_first_is_not_let_in_with_it_elsewhere(
    dashboard: Dashboard, stranger: httpx.AsyncClient
) -> None:
    email = f"victim-{token_hex(4)}@shop.example"
    assert (await stranger.post(await invite(dashboard, email), data={"password": ANOTHER})).status_code == 303
    let_in = await enroll(dashboard, email)
    assert "Go to " not in (await stranger.get("/app/me")).text
    assert not let_in.sets_password
    assert (await stranger.post(link_path(let_in.token), data={"password": PASSWORD})).status_code == 401
    assert (await stranger.post(link_path(let_in.token), data={"password": ANOTHER})).status_code == 303
    assert "Go to " in (await stranger.get("/app/me")).text


async def test_an_invitation_tells_nothing_of_another_account(dashboard: Dashboard) -> None:
    other = await make_account(dashboard.runtime)
    guest = await make_person(dashboard.runtime.database, other.name, "viewer")
    async with dashboard.runtime.database.transaction() as session:
        await stored.note_sign_in(session, guest.id)
    path = await invite(dashboard, guest.email)
    for page in (f"/app/people/{guest.id}", "/app/people", path):
        shown = (await dashboard.get(page)).text
        assert guest.email in shown
        assert "Ana Viewer" not in shown
    async with dashboard.runtime.database.read() as session:
        member = await members.load_member(session, AccountId(dashboard.account.id), guest.id)
    assert member.signed_in_at is None


async def test_a_new_password_ends_the_links_that_would_replace_it(
    dashboard: Dashboard, stranger: httpx.AsyncClient
) -> None:
    account_id, viewer = AccountId(dashboard.account.id), await dashboard.as_role("viewer")
    async with dashboard.runtime.database.transaction() as session:
        reset = await members.renew_link(session, account_id, viewer.person.id, pepper=PEPPER)
    await viewer.post("/app/me/password", {"password": PASSWORD, "new_password": ANOTHER})
    assert (await stranger.post(link_path(reset), data={"password": PASSWORD})).status_code == 410


async def belong(dashboard: Dashboard, other: Dashboard, role: str = "admin") -> None:
    async with dashboard.runtime.database.transaction() as session:
        values = {"person_id": dashboard.person.id, "account_id": other.account.id}
        await stored.add_member(session, **values, role=role, created_by=None)
        await stored.join(session, **values)


@pytest.mark.parametrize("change", ["switch", "role"])
async def test_a_body_that_arrives_meanwhile_is_not_stored_for_what_the_session_was(
    dashboard: Dashboard, change: str
) -> None:
    runtime, other = dashboard.runtime, await new_dashboard(dashboard.runtime)
    await belong(dashboard, other)
    async with runtime.database.read() as session:
        opened = await find_session(session, dashboard.person.cookie, pepper=PEPPER)
    assert opened is not None
    async with runtime.database.transaction() as session:
        await ensure_live(session, opened.identity)
    if change == "switch":
        await dashboard.post("/app/me/account", {"account": str(other.account.id)})
    else:
        async with runtime.database.transaction() as session:
            await stored.set_role(session, dashboard.account.id, dashboard.person.id, "viewer")
    async with runtime.database.transaction() as session:
        with pytest.raises(Refused, match="another account or role"):
            await ensure_live(session, opened.identity)
    await other.close()


async def test_a_stream_ends_when_its_session_turns_to_another_account(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.dashboard.live.stream.STILL_SECONDS", 0.05)
    other = await new_dashboard(dashboard.runtime)
    await belong(dashboard, other)
    following = asyncio.create_task(dashboard.get("/app/live?page=jobs"))
    await asyncio.sleep(0.3)
    assert not following.done()
    await dashboard.post("/app/me/account", {"account": str(other.account.id)})
    async with asyncio.timeout(10):
        assert "lost" in (await following).text
    await other.close()


@pytest.mark.parametrize(
    "path",
    ["keys/new", "people/new", "settings/connections/new", "exports/new", "syncs/new", "feeds/new",
     "schedules/new?kind=export", "imports/new/server"],
)  # fmt: skip
async def test_a_form_makes_nothing_in_an_account_that_was_turned_to_in_another_window(
    dashboard: Dashboard, path: str
) -> None:
    other = await new_dashboard(dashboard.runtime)
    await belong(dashboard, other)
    page = {"imports/new/server": "imports/new?from=sftp", "settings/connections/new": f"{path}?transport=sftp"}
    shown = (await dashboard.get(f"/app/{page.get(path, path)}")).text
    account = str(dashboard.account.id)
    assert f'name="of_account" value="{account}"' in shown
    await dashboard.post("/app/me/account", {"account": str(other.account.id)})
    sent = await dashboard.post(f"/app/{path}", {"of_account": account, "label": "x", "scopes": "admin"})
    assert sent.status_code == 422
    assert f"You are in {other.account.name} now" in sent.text
    await other.close()
