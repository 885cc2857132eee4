"""What the wizard refuses to whoever lacks a right for what a colleague has chosen, or for what a template says."""

import httpx

from app.dashboard.session import PLAIN_COOKIE
from app.mappings.templates.stored import create_template
from app.people.sessions import start_session
from app.resources.registry import BUILT_IN
from tests.dashboard.people import Dashboard
from tests.dashboard.wizard.pages import MAPPING, begin, make_template, reach_run, words
from tests.support.http import make_account
from tests.support.servers import PEPPER


async def come_with_key(dashboard: Dashboard, *scopes: str) -> None:
    """The same browser, signed in with a key that has only these scopes."""
    account = await make_account(dashboard.runtime, scopes, dashboard.account.name)
    async with dashboard.runtime.database.transaction() as session:
        cookie = await start_session(session, account.id, pepper=PEPPER, key_id=account.key.partition(":")[0])
    dashboard.client.cookies = httpx.Cookies({PLAIN_COOKIE: cookie})


async def test_a_template_that_replaces_is_for_those_who_may_delete(dashboard: Dashboard) -> None:
    body = {"name": "All of it", "type": "contacts", **MAPPING, "options": {"replace": True}}
    async with dashboard.runtime.database.transaction() as session:
        template = await create_template(session, dashboard.person.account_id, body, BUILT_IN["contacts"])
    operator = await dashboard.as_role("operator")
    base = await reach_run(operator, template.id)
    refused = await operator.post(f"{base}/run", {"name": "x"})
    assert refused.status_code == 403
    assert "You may not delete imports, or records by an import" in words(refused)
    assert (await dashboard.post(f"{base}/run", {"name": "x"})).headers["location"].startswith("/app/imports/")


async def test_a_draft_with_a_template_is_for_those_who_may_see_templates(dashboard: Dashboard) -> None:
    base = await reach_run(dashboard, await make_template(dashboard))
    await come_with_key(dashboard, "imports:write")
    answers = [await dashboard.get(f"{base}/{step}") for step in ("columns", "check")]
    answers += [await dashboard.post(f"{base}/{step}", {"name": "x"}) for step in ("columns", "run")]
    assert [each.status_code for each in answers] == [403] * 4
    await come_with_key(dashboard, "imports:write", "mappings:read")
    assert (await dashboard.get(f"{base}/columns")).status_code == 200


async def test_the_draft_of_an_import_is_none_of_a_template(dashboard: Dashboard) -> None:
    base = await begin(dashboard)
    await come_with_key(dashboard, "mappings:write", "mappings:read")
    path = f"/app/templates/new/{base.rpartition('/')[2]}"
    assert (await dashboard.get(path)).status_code == 404
    assert (await dashboard.post(path, {"go": "next", "name": "x"})).status_code == 404
