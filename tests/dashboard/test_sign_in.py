"""Signing in and out: with a password or a key, by links, within limits, and until somebody ends it."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from redis.asyncio import ConnectionPool

from app.auth.identity import ensure_live
from app.auth.keys import revoke_key
from app.dashboard.session import PLAIN_COOKIE, SECURE_COOKIE
from app.errors import Refused
from app.people import members
from app.people.links import link_path, make_link
from app.people.members import Invitation
from app.people.sessions import find_session, start_session
from app.people.sign_in import WRONG
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.people.sessions import MOST
from app.throttle import RequestCounter
from tests.dashboard.conftest import Visit
from tests.dashboard.people import OWN, PASSWORD, Dashboard, LiveAccount, make_person
from tests.support import http
from tests.support.http import Account
from tests.support.servers import PEPPER

ANOTHER = "a lighthouse in the desert"


@pytest.fixture
async def stranger(dashboard: Dashboard) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is not signed in, at an address of its own."""
    transport = httpx.ASGITransport(app=dashboard.app, client=(f"192.0.2.{dashboard.account.id % 250}", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://sluice.test", headers=OWN) as client:
        yield client


async def sign_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD, next: str = "") -> httpx.Response:
    return await client.post("/app/sign-in", data={"email": email, "password": password, "next": next})


async def test_a_page_leads_to_signing_in_and_back(dashboard: Dashboard, stranger: httpx.AsyncClient) -> None:
    asked = await stranger.get("/app/me?tab=1")
    assert (asked.status_code, asked.headers["location"]) == (303, "/app/sign-in?next=%2Fapp%2Fme%3Ftab%3D1")
    form = await stranger.get(asked.headers["location"])
    assert "This connection is not encrypted" in form.text
    assert 'name="next" value="/app/me?tab=1"' in form.text

    done = await sign_in(stranger, f" {dashboard.person.email.upper()} ", next="/app/me?tab=1")
    assert (done.status_code, done.headers["location"]) == (303, "/app/me?tab=1")
    cookie = done.headers["set-cookie"]
    assert re.match(rf"{PLAIN_COOKIE}=[\w-]{{43}}; HttpOnly; Max-Age=604800; Path=/; SameSite=lax$", cookie)
    assert (await stranger.get("/app")).status_code == 303


@pytest.mark.parametrize(
    "next",
    ["https://evil.example/app/x", "//evil.example/app/x", "/\\evil.example", "/imports", "javascript:alert(1)",
     "/app/../imports", "/app/\tx", "/app/sign-in", "https:/app/x", "/app/" + "x" * 3_000, "http://[", ""],
)  # fmt: skip
async def test_nobody_is_sent_elsewhere_after_signing_in(
    dashboard: Dashboard, stranger: httpx.AsyncClient, next: str
) -> None:
    answer = await dashboard.get("/app/sign-in", params={"next": next})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app")


async def test_a_wrong_name_and_a_wrong_password_are_answered_alike(
    dashboard: Dashboard, stranger: httpx.AsyncClient
) -> None:
    answers, seconds = [], []
    for email in (dashboard.person.email, "nobody@shop.example", dashboard.person.email, "nobody@shop.example"):
        started = time.process_time()  # of all threads: what others do on the machine does not count
        answer = await sign_in(stranger, email, "not the password at all")
        seconds.append(time.process_time() - started)
        answers.append(answer.text.replace(email, "NAME"))
        assert (answer.status_code, WRONG in answer.text) == (401, True)
        assert "set-cookie" not in answer.headers
        assert "not the password" not in answer.text
    assert answers[2] == answers[3]
    # The first of all works out what is compared with for nobody; afterwards both compute one hash.
    assert seconds[3] > seconds[2] / 3


async def test_a_name_has_five_tries_a_minute_and_an_address_twenty(
    dashboard: Dashboard, stranger: httpx.AsyncClient
) -> None:
    async def tries(names: list[str]) -> list[int]:
        return [(await sign_in(stranger, name, "wrong")).status_code for name in names]

    while time.time() % 60 > 50:  # all in one minute
        await asyncio.sleep(0.5)
    assert await tries(["a@shop.example"] * 6) == [401] * 5 + [429]
    assert await tries([f"b{number}@shop.example" for number in range(15)]) == [401] * 14 + [429]
    refused = await sign_in(stranger, dashboard.person.email)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 60


async def test_nobody_signs_in_while_tries_cannot_be_counted(
    dashboard: Dashboard, stranger: httpx.AsyncClient, runtime: Runtime
) -> None:
    nowhere = RequestCounter(ConnectionPool.from_url("redis://127.0.0.1:1"))
    throttle = replace(runtime.throttle, counters=nowhere)
    dashboard.app.state.runtime = replace(runtime, throttle=throttle)
    assert (await sign_in(stranger, dashboard.person.email)).status_code == 503
    assert (await dashboard.get("/app/sign-in")).status_code == 303, "whoever is in stays in"


async def test_a_key_signs_in_with_its_scopes_and_ends_with_it(
    runtime: Runtime, dashboard: Dashboard, stranger: httpx.AsyncClient
) -> None:
    account = await http.make_account(runtime, ["imports:read"])
    for wrong in ("", "sluice_0123456789abcdef:x", account.key + "x", account.key.partition(":")[0]):
        answer = await stranger.post("/app/sign-in", data={"key": wrong})
        assert answer.status_code == 401
        assert account.key.partition(":")[2] not in answer.text
    assert (await stranger.post("/app/sign-in", data={"key": account.key})).status_code == 303
    assert (await stranger.get("/app/sign-in")).status_code == 303
    async with runtime.database.transaction() as session:
        await revoke_key(session, account.key.partition(":")[0])
    assert (await stranger.get("/app")).headers["location"].startswith("/app/sign-in")


@pytest.mark.parametrize(
    "end",
    ["UPDATE api_keys SET expires_at = now() WHERE account_id = {0}",
     "UPDATE api_keys SET revoked_at = now() WHERE account_id = {0}"],
)  # fmt: skip
async def test_a_session_stands_on_its_key(
    dashboard: Dashboard, stranger: httpx.AsyncClient, runtime: Runtime, end: str
) -> None:
    assert (await stranger.post("/app/sign-in", data={"key": dashboard.account.key})).status_code == 303
    assert (await stranger.get("/app/me")).status_code == 200
    await run(runtime, end.format(dashboard.account.id))
    assert (await stranger.get("/app/me")).status_code == 303


@pytest.mark.parametrize(
    "end",
    ["DELETE FROM memberships WHERE person_id = '{0}'",
     "UPDATE memberships SET joined_at = NULL WHERE person_id = '{0}'", "DELETE FROM people WHERE id = '{0}'"],
)  # fmt: skip
async def test_a_session_stands_on_its_membership(dashboard: Dashboard, runtime: Runtime, end: str) -> None:
    assert (await dashboard.get("/app/me")).status_code == 200
    await run(runtime, end.format(dashboard.person.id))
    assert (await dashboard.get("/app/me")).status_code == 303


async def test_of_too_many_sessions_the_oldest_end(dashboard: Dashboard, runtime: Runtime) -> None:
    async with runtime.database.transaction() as session:
        for _ in range(MOST):
            await start_session(session, dashboard.account.id, pepper=PEPPER, person_id=dashboard.person.id)
    assert (await dashboard.get("/app/me")).status_code == 303


async def run(runtime: Runtime, statement: str) -> None:
    async with runtime.database.transaction() as session:
        await session.exec_driver_sql(statement)


async def test_signing_in_makes_a_new_session_whatever_cookie_was_there(
    dashboard: Dashboard, stranger: httpx.AsyncClient
) -> None:
    planted = "A" * 43
    stranger.cookies.set(PLAIN_COOKIE, planted, domain="sluice.test")
    assert (await sign_in(stranger, dashboard.person.email)).status_code == 303
    assert {cookie.value for cookie in stranger.cookies.jar} != {planted}
    assert (
        (await dashboard.client.get("/app", headers={"Cookie": f"{PLAIN_COOKIE}={planted}"}))
        .headers["location"]
        .startswith("/app/sign-in")
    )


async def test_signing_out_ends_the_session_itself(dashboard: Dashboard) -> None:
    answer = await dashboard.post("/app/sign-out")
    assert answer.headers["location"] == "/app/sign-in"
    assert "Max-Age=0" in answer.headers.get_list("set-cookie")[-1]
    again = await dashboard.client.get("/app", headers={"Cookie": f"{PLAIN_COOKIE}={dashboard.person.cookie}"})
    assert again.headers["location"].startswith("/app/sign-in")


@pytest.mark.parametrize("column", ["seen_at = now() - interval '12 hours 1 second'", "expires_at = now()"])
async def test_a_session_ends_after_twelve_idle_hours_or_seven_days(dashboard: Dashboard, column: str) -> None:
    async with dashboard.runtime.database.transaction() as session:
        await session.exec_driver_sql(f"UPDATE sessions SET {column} WHERE person_id = '{dashboard.person.id}'")
    answer = await dashboard.get("/app")
    assert answer.headers["location"].startswith("/app/sign-in")
    shown = await dashboard.get(answer.headers["location"])
    assert "what you prepared is kept" in shown.text


async def test_a_removed_person_is_out_with_the_next_request(dashboard: Dashboard) -> None:
    viewer = await dashboard.as_role("viewer")
    assert (await viewer.get("/app/sign-in")).status_code == 303
    async with dashboard.runtime.database.transaction() as session:
        await members.remove(session, AccountId(dashboard.account.id), viewer.person.id)
    assert (await viewer.get("/app/sign-in")).status_code == 200


async def test_the_cookie_is_for_pages_and_authorization_for_the_api(
    dashboard: Dashboard, client: httpx.AsyncClient, an_account: Account
) -> None:
    assert (await dashboard.get("/imports")).status_code == 401
    with_key = await client.get("/app", headers=an_account.headers)
    assert with_key.headers["location"].startswith("/app/sign-in")


async def test_over_https_the_cookie_belongs_to_the_host_alone(dashboard: Dashboard) -> None:
    app = http.app_on(dashboard.runtime, public_url="https://imports.example.com/")
    transport = httpx.ASGITransport(app=app, client=("192.0.2.251", 1))
    async with httpx.AsyncClient(transport=transport, base_url="https://imports.example.com") as client:
        client.headers["Origin"] = "https://imports.example.com"
        done = await sign_in(client, dashboard.person.email)
        assert done.headers["set-cookie"].startswith(f"{SECURE_COOKIE}=")
        assert "; Secure" in done.headers["set-cookie"]
        assert (await client.get("/app")).headers["location"] != "/app/sign-in"
        plain = await client.get("/app", headers={"Cookie": f"{PLAIN_COOKIE}={dashboard.person.cookie}"})
        assert plain.headers["location"].startswith("/app/sign-in")


async def test_an_invited_person_sets_a_password_once(dashboard: Dashboard, stranger: httpx.AsyncClient) -> None:
    path = link_path(await invite(dashboard, "new@shop.example" + dashboard.account.name, "viewer"))
    assert "Choose a password" in (await stranger.get(path)).text
    for short in ("", "too short", "qwertyqwerty", "12345678901234", "Password1234!"):
        answer = await stranger.post(path, data={"password": short})
        assert answer.status_code == 422
        assert "There is a problem" in answer.text
    assert (await stranger.post(path, data={"password": ANOTHER})).headers["location"] == "/app"
    assert (await stranger.get("/app/sign-in")).status_code == 303, "signed in"
    for answer in (await stranger.get(path), await stranger.post(path, data={"password": ANOTHER})):
        assert answer.status_code == 410
        assert "does not work any more" in answer.text


async def invite(dashboard: Dashboard, email: str, role: str) -> str:
    """The token of a link."""
    email = email.replace("@shop.example", "@") + ".example" if dashboard.account.name in email else email
    async with dashboard.runtime.database.transaction() as session:
        _, token = await members.invite(
            session, AccountId(dashboard.account.id), Invitation(email, "", role), pepper=PEPPER, created_by=None
        )
    return token


async def test_whoever_has_a_password_joins_another_account_only_with_it(
    dashboard: Dashboard, stranger: httpx.AsyncClient, runtime: Runtime
) -> None:
    other = await http.make_account(runtime)
    guest = await make_person(runtime.database, other.name, "viewer")
    path = link_path(await invite(dashboard, guest.email, "admin"))
    assert "Choose a password" not in (await stranger.get(path)).text
    assert (await stranger.post(path, data={"password": ANOTHER})).status_code == 401
    assert (await sign_in(stranger, guest.email, ANOTHER)).status_code == 401
    assert (await stranger.post(path, data={"password": PASSWORD})).status_code == 303


async def test_an_admin_cannot_reset_a_password_that_opens_another_account(
    dashboard: Dashboard, stranger: httpx.AsyncClient, runtime: Runtime
) -> None:
    account_id, viewer = AccountId(dashboard.account.id), await dashboard.as_role("viewer")
    async with runtime.database.transaction() as session:
        early = await members.renew_link(session, account_id, viewer.person.id, pepper=PEPPER)
    other = await http.make_account(runtime)
    async with runtime.database.transaction() as session:
        _, token = await members.invite(
            session, AccountId(other.id), Invitation(viewer.person.email, "", "admin"), pepper=PEPPER, created_by=None
        )
    assert (await stranger.post(link_path(token), data={"password": PASSWORD})).status_code == 303

    assert (await stranger.post(link_path(early), data={"password": ANOTHER})).status_code == 401, "made before"
    async with runtime.database.transaction() as session:
        with pytest.raises(Exception, match="belongs to other accounts"):
            await members.renew_link(session, account_id, viewer.person.id, pepper=PEPPER)


async def test_a_reset_ends_all_sessions_and_the_old_password(
    dashboard: Dashboard, stranger: httpx.AsyncClient, runtime: Runtime
) -> None:
    async with runtime.database.transaction() as session:
        token = await make_link(session, dashboard.person.id, None, pepper=PEPPER, resets=True)
    assert (await stranger.post(link_path(token), data={"password": ANOTHER})).status_code == 303
    assert (await dashboard.get("/app")).headers["location"].startswith("/app/sign-in")
    assert (await sign_in(stranger, dashboard.person.email)).status_code == 401
    assert (await sign_in(stranger, dashboard.person.email, ANOTHER)).status_code == 303


async def test_a_session_that_ends_while_a_body_arrives_stores_nothing(dashboard: Dashboard) -> None:
    runtime = dashboard.runtime
    async with runtime.database.read() as session:
        opened = await find_session(session, dashboard.person.cookie, pepper=PEPPER)
    assert opened is not None
    async with runtime.database.transaction() as session:
        await ensure_live(session, opened.identity)
        ending = asyncio.create_task(dashboard.post("/app/sign-out"))
        await asyncio.sleep(0.2)
        assert not ending.done(), "a session that is held is not ended"
    assert (await ending).status_code == 303
    async with runtime.database.transaction() as session:
        with pytest.raises(Refused, match="signed out while"):
            await ensure_live(session, opened.identity)


async def test_a_link_is_in_no_log(dashboard: Dashboard, logged: pytest.CaptureFixture[str]) -> None:
    app = http.app_on(dashboard.runtime)
    token = await invite(dashboard, "log@shop.example" + dashboard.account.name, "viewer")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sluice.test") as client:
        assert (await client.get(link_path(token))).status_code == 200
    lines = logged.readouterr().err
    assert "/app/welcome/{token}" in lines
    assert token not in lines


async def test_somebody_signs_in_and_out_without_a_script(visit: Visit, live_account: LiveAccount) -> None:
    person = await live_account.sign_in("viewer")
    page = await visit("/app/me", role=None, script=False)
    assert await page.get_by_text("This connection is not encrypted").count() == 0, "it does not leave the machine"
    await page.get_by_label("E-mail address").fill(person.email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Ana Viewer").wait_for()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.get_by_role("status").get_by_text("You are signed out.").wait_for()
    await page.goto("/app/me")
    assert await page.locator("h1").inner_text() == "Sign in"


async def test_a_page_that_follows_by_itself_keeps_no_idle_session(dashboard: Dashboard) -> None:
    ago = f"UPDATE sessions SET seen_at = now() - interval '2 hours' WHERE person_id = '{dashboard.person.id}'"
    seen = f"SELECT seen_at > now() - interval '1 hour' FROM sessions WHERE person_id = '{dashboard.person.id}'"
    async with dashboard.runtime.database.transaction() as session:
        await session.exec_driver_sql(ago)
    for path, kept in (("/app/live?page=jobs&once=true", False), ("/app/jobs", True)):
        assert (await dashboard.get(path)).status_code == 200
        async with dashboard.runtime.database.transaction() as session:
            assert (await session.exec_driver_sql(seen)).scalar_one() is kept, path
