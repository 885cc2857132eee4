"""The pages of API keys and people: what is shown once, what is asked for again, and what is never shown."""

import html
import re

import httpx
import pytest

from app.dashboard.forms import is_secret
from app.dashboard.render import open_templates
from app.dashboard.words import mark_code
from app.people import members
from app.people.members import Invitation
from app.runs.model import AccountId
from tests.dashboard.browser import check_page
from tests.dashboard.conftest import Visit
from tests.dashboard.people import PASSWORD, Dashboard, new_dashboard
from tests.support.http import make_account
from tests.support.servers import PEPPER

NEW_KEY = {"label": "nightly <import>", "scopes": ["imports:read", "records:read"], "days": "30"}


async def long_ago(dashboard: Dashboard) -> None:
    async with dashboard.runtime.database.transaction() as session:
        await session.exec_driver_sql(
            "UPDATE sessions SET confirmed_at = now() - interval '15 minutes' "
            f"WHERE person_id = '{dashboard.person.id}'"
        )


async def test_a_key_is_shown_once_works_and_is_revoked(dashboard: Dashboard) -> None:
    assert "nightly &lt;import" not in (await dashboard.get("/app/keys")).text
    made = await dashboard.post("/app/keys/new", NEW_KEY)
    assert made.status_code == 200
    key = re.findall(r"sluice_[0-9a-f]{16}:[\w-]{43}", made.text)
    assert len(set(key)) == 1
    key_id, _, secret = key[0].partition(":")
    headers = {"Authorization": f"apiKey {key[0]}"}
    assert (await dashboard.get("/imports", headers=headers)).status_code == 200
    assert (await dashboard.get("/exports", headers=headers)).status_code == 403

    listed = (await dashboard.get("/app/keys")).text
    assert "nightly &lt;import&gt;" in listed
    assert "by Ana Admin" in listed
    assert secret not in listed
    page = await dashboard.get(f"/app/keys/{key_id}/revoke")
    assert "Its next request is refused" in page.text
    assert (await dashboard.get("/imports", headers=headers)).status_code == 200, "GET changes nothing"
    assert (await dashboard.post(f"/app/keys/{key_id}/revoke")).headers["location"] == "/app/keys"
    assert (await dashboard.get("/imports", headers=headers)).status_code == 401
    assert (await dashboard.get(f"/app/keys/{key_id}/revoke")).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"label": ""}, "“What is it for?” must be one line of 1 to 200 characters"),
        ({"scopes": []}, "“What may it do?” must have at least one scope"),
        ({"scopes": ["imports:eat"]}, "There is no scope `imports:eat`"),
        ({"days": "soon"}, "“Ends after days” must be from 1 to 3,650"),
    ],
)
async def test_a_form_keeps_what_was_typed_and_says_what_is_wrong(
    dashboard: Dashboard, wrong: dict[str, object], said: str
) -> None:
    answer = await dashboard.post("/app/keys/new", NEW_KEY | wrong)
    assert answer.status_code == 422
    assert mark_code(said) in answer.text
    assert 'value="records:read" checked' in answer.text or "scopes" in wrong
    assert "nightly" in answer.text or "label" in wrong


async def test_nobody_gives_a_scope_that_they_lack(dashboard: Dashboard) -> None:
    """A key with `admin` has all of them, so only a person whose role is changed meanwhile could."""
    operator = await dashboard.as_role("operator")
    assert (await operator.post("/app/keys/new", NEW_KEY)).status_code == 403


async def test_the_password_is_asked_for_again_and_nothing_is_lost(dashboard: Dashboard) -> None:
    assert 'name="password_again"' not in (await dashboard.get("/app/keys/new")).text
    await long_ago(dashboard)
    assert 'name="password_again"' in (await dashboard.get("/app/keys/new")).text
    for again, said in (("", "Type your password"), ("not the password", "The password is not right")):
        refused = await dashboard.post("/app/keys/new", NEW_KEY | {"password_again": again})
        assert (refused.status_code, said in refused.text) == (422, True)
        assert 'value="30"' in refused.text
        assert "sluice_" not in refused.text
    viewer = await dashboard.as_role("viewer")
    for path, data in (
        ("/app/people/new", {"email": "x@shop.example", "role": "admin"}),
        (f"/app/people/{viewer.person.id}", {"role": "admin"}),
        (f"/app/people/{viewer.person.id}/link", {}),
        (f"/app/people/{viewer.person.id}/remove", {}),
    ):
        refused = await dashboard.post(path, data)
        assert (refused.status_code, 'href="#password_again"' in refused.text) == (422, True), path
    assert (await viewer.get("/app/people")).status_code == 403


async def test_typing_the_password_again_is_enough_for_a_while(dashboard: Dashboard) -> None:
    await long_ago(dashboard)
    assert (await dashboard.post("/app/keys/new", NEW_KEY | {"password_again": PASSWORD})).status_code == 200
    assert (await dashboard.post("/app/keys/new", NEW_KEY)).status_code == 200


async def test_whoever_signed_in_with_a_key_types_that_key_again(dashboard: Dashboard) -> None:
    own, other = [await make_account(dashboard.runtime, ["admin"], dashboard.account.name) for _ in range(2)]
    assert (await dashboard.post("/app/sign-out")).status_code == 303
    assert (await dashboard.post("/app/sign-in", {"key": own.key})).status_code == 303
    async with dashboard.runtime.database.transaction() as session:
        await session.exec_driver_sql(
            "UPDATE sessions SET confirmed_at = now() - interval '15 minutes' "
            f"WHERE key_id = '{own.key.partition(':')[0]}'"
        )
    for again, status in ((other.key, 422), ("nonsense", 422), (own.key, 200)):
        answer = await dashboard.post("/app/keys/new", NEW_KEY | {"password_again": again})
        assert answer.status_code == status
    assert "by test" in (await dashboard.get("/app/keys")).text, "the label of the key that made it"


async def test_a_person_is_invited_changed_and_removed(dashboard: Dashboard) -> None:
    mail = f"bob@{dashboard.account.name}.example"
    made = await dashboard.post("/app/people/new", {"email": mail, "name": "<b>Bob</b>", "role": "viewer"})
    assert made.status_code == 200
    assert "&lt;b&gt;Bob" in made.text
    token = re.findall(r"http://sluice\.test/app/welcome/([\w-]{43})", made.text)[0]
    listed = await dashboard.get("/app/people")
    assert "Invited" in listed.text
    assert token not in listed.text
    where = re.findall(r"/app/people/person_[0-9a-f]{16}", listed.text.split("Bob")[1])[0]

    again = await dashboard.post("/app/people/new", {"email": mail, "name": "Bob", "role": "viewer"})
    assert (again.status_code, "is already in this account" in again.text) == (409, True)
    assert (await dashboard.post(where, {"role": "operator"})).headers["location"] == "/app/people"
    assert (await dashboard.post(where, {"role": "boss"})).status_code == 422
    renewed = await dashboard.post(f"{where}/link")
    assert token not in renewed.text
    assert "/app/welcome/" in renewed.text
    assert "cannot sign in" in (await dashboard.get(f"{where}/remove")).text
    assert (await dashboard.post(f"{where}/remove")).status_code == 303
    assert (await dashboard.get(where)).status_code == 404


async def test_the_only_admin_stays_and_is_told_why(dashboard: Dashboard) -> None:
    await dashboard.as_role("viewer")
    answer = await dashboard.post(f"/app/people/{dashboard.person.id}/remove")
    assert (answer.status_code, "is the only admin of this account" in answer.text) == (409, True)
    assert (await dashboard.get("/app/people")).status_code == 200


async def test_another_account_has_no_such_key_and_no_such_person(dashboard: Dashboard) -> None:
    other = await new_dashboard(dashboard.runtime)
    key_id = other.account.key.partition(":")[0]
    for path in (
        f"/app/keys/{key_id}/revoke",
        f"/app/people/{other.person.id}",
        f"/app/people/{other.person.id}/remove",
    ):
        assert (await dashboard.get(path)).status_code == 404
        assert (await dashboard.post(path, {"role": "viewer"})).status_code == 404
    assert (await other.get("/app/people")).status_code == 200
    await other.close()


async def test_no_page_shows_a_secret_that_is_stored(dashboard: Dashboard) -> None:
    account_id = AccountId(dashboard.account.id)
    async with dashboard.runtime.database.transaction() as session:
        wanted = Invitation(f"new@{dashboard.account.name}.example", "", "viewer")
        member, token = await members.invite(session, account_id, wanted, pepper=PEPPER, created_by=None)
        stored = await session.exec_driver_sql(f"SELECT password FROM people WHERE id = '{dashboard.person.id}'")
        hashed = str(stored.scalar_one())
    key_id, _, secret = dashboard.account.key.partition(":")
    secrets = [PASSWORD, hashed, hashed.rsplit("$", 1)[1], dashboard.person.cookie, token, secret]
    paths = ["/app/me", "/app/keys", "/app/keys/new", f"/app/keys/{key_id}/revoke", "/app/people", "/app/people/new",
             f"/app/people/{member.id}", f"/app/people/{member.id}/remove", "/app/nowhere"]  # fmt: skip
    for path in paths:
        answer: httpx.Response = await dashboard.get(path)
        assert not [each for each in secrets if each in answer.text or html.escape(each) in answer.text], path


def test_a_form_that_is_shown_again_knows_every_secret_by_its_name() -> None:
    """`keep_form` shows all others."""
    templates, found = open_templates(), []
    assert templates.loader is not None
    for name in templates.list_templates():
        text, _, _ = templates.loader.get_source(templates, name)
        found += re.findall(r'field\.input\(form, "(\w+)",[^\n]*type="password"', text)
    assert {"password", "new_password", "password_again", "key"} <= set(found)
    assert [name for name in found if not is_secret(name)] == []


async def test_changing_the_password_asks_for_the_old_one_and_ends_other_sessions(dashboard: Dashboard) -> None:
    new = "another horse reads forwards"
    for old, given, status in (("wrong", new, 401), (PASSWORD, "short", 422)):
        answer = await dashboard.post("/app/me/password", {"password": old, "new_password": given})
        assert answer.status_code == status
        assert answer.text.count('aria-invalid="true"') == 1
    assert (await dashboard.post("/app/me/password", {"password": PASSWORD, "new_password": new})).status_code == 303
    assert (await dashboard.get("/app/me")).status_code == 200
    assert (await dashboard.post("/app/me/password", {"password": PASSWORD, "new_password": new})).status_code == 401


async def test_sessions_are_listed_and_ended_by_their_owner_alone(dashboard: Dashboard) -> None:
    viewer = await dashboard.as_role("viewer")
    async with dashboard.runtime.database.read() as session:
        found = await session.exec_driver_sql(f"SELECT id FROM sessions WHERE person_id = '{viewer.person.id}'")
        own = str(found.scalar_one())
    await dashboard.post("/app/me/sessions", {"id": own})
    assert (await viewer.get("/app/me")).status_code == 200
    await viewer.post("/app/me/sessions", {"id": own})
    assert (await viewer.get("/app/me")).status_code == 303


async def test_whoever_belongs_to_two_accounts_switches_between_them(dashboard: Dashboard) -> None:
    other = await new_dashboard(dashboard.runtime)
    async with dashboard.runtime.database.transaction() as session:
        await session.exec_driver_sql(
            "INSERT INTO memberships (person_id, account_id, role, created_at, joined_at) "
            f"VALUES ('{dashboard.person.id}', {other.account.id}, 'viewer', now(), now())"
        )
    assert f"Go to {other.account.name}" in (await dashboard.get("/app/me")).text
    assert (await dashboard.post("/app/me/account", {"account": str(other.account.id)})).status_code == 303
    page = (await dashboard.get("/app/me")).text
    assert f"{other.account.name} · viewer" in page
    assert (await dashboard.get("/app/keys")).status_code == 403
    assert (await other.post("/app/me/account", {"account": str(dashboard.account.id)})).status_code == 404
    await other.close()


async def test_pages_of_keys_and_people_have_no_barrier(visit: Visit) -> None:
    page = await visit("/app/keys/new")
    await check_page(page)
    await page.get_by_label("What is it for?").fill("nightly import")
    for role, name, headline in (
        ("button", "Create key", "The key nightly import"),
        ("link", "I have stored it", "API keys"),
        ("link", "Revoke nightly import", "Revoke nightly import"),
        ("link", "People", "People"),
        ("link", "Change Ana Admin", "Ana Admin"),
        ("link", "Remove from", "Remove Ana Admin"),
    ):
        await page.get_by_role(role, name=name).click()  # type: ignore[arg-type]
        await page.get_by_role("heading", name=headline, level=1).wait_for()
        await check_page(page)
    await page.goto("/app/people/new")
    await check_page(page)
    await page.get_by_label("E-mail address").fill("not an address@")
    await page.get_by_label("E-mail address").evaluate("field => field.type = 'text'")
    await page.get_by_role("button", name="Invite").click()
    await page.get_by_role("alert").get_by_role("link").wait_for()
    assert await page.title() == "Error: Invite somebody · Sluice"
    await check_page(page)
