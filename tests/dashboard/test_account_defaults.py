"""The defaults of an account as a page: what the API has, shown, changed, and refused beside the field."""

from typing import Any

from tests.dashboard.filled import fields_shown
from tests.dashboard.people import Dashboard
from tests.dashboard.wizard.pages import next_path, words

PAGE = "/app/settings/account"


async def read(dashboard: Dashboard) -> dict[str, Any]:
    return dict((await dashboard.client.get("/account/defaults", headers=dashboard.account.headers)).json())


async def test_the_defaults_are_shown_saved_and_removed_as_the_api_has_them(dashboard: Dashboard) -> None:
    page = await dashboard.get(PAGE)
    assert "Maximum removed records, in % optional Empty: 50 %, as for everything that removes" in words(page)
    assert f'href="{PAGE}" aria-current="page"' in page.text
    assert "Imports at a time 10 imports 0 imports" in words(page)
    assert "Records No limit 0 records" in words(page)
    typed = {"maxErrorShare": "2,5 %", "maxRemoved": "10,000", "minRows": "0"}
    assert next_path(await dashboard.post(PAGE, fields_shown(page.text, PAGE) | typed)) == PAGE
    assert await read(dashboard) == {"maxErrorShare": 0.025, "maxRemoved": 10_000, "minRows": 0}
    saved = await dashboard.get(PAGE)
    assert "Defaults saved" in words(saved)
    assert "-d &#39;{&#34;maxErrorShare&#34;: 0.025" in saved.text
    sent = fields_shown(saved.text, PAGE)
    assert next_path(await dashboard.post(PAGE, sent)) == PAGE  # nothing is changed by saving it
    assert await read(dashboard) == {"maxErrorShare": 0.025, "maxRemoved": 10_000, "minRows": 0}
    await dashboard.post(PAGE, sent | {"maxRemoved": "", "minRows": ""})
    assert await read(dashboard) == {"maxErrorShare": 0.025}


async def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_stored(dashboard: Dashboard) -> None:
    wrong = {"maxErrors": "-1", "maxErrorShare": "101", "maxCreated": "5"}
    answer = await dashboard.post(PAGE, wrong)
    assert (answer.status_code, await read(dashboard)) == (422, {})
    assert "There are 2 problems" in words(answer)
    assert 'id="maxErrors-error">“Maximum failed rows” must be a whole number, such as 100<' in answer.text
    assert '<a href="#maxErrorShare">“Maximum failed rows, in %” must be a percentage from 0 to 100' in answer.text
    assert {**fields_shown(answer.text, PAGE), **wrong} == fields_shown(answer.text, PAGE)


async def test_an_admin_changes_them_and_others_see_them(dashboard: Dashboard) -> None:
    await dashboard.post(PAGE, {"maxErrorShare": "5"})
    operator = await dashboard.as_role("operator")
    seen = words(await operator.get(PAGE))
    assert "Maximum failed rows, in % 5" in seen
    assert "Only an admin of" in seen
    assert (await operator.post(PAGE, {"maxErrorShare": "6"})).status_code == 403
    assert await read(dashboard) == {"maxErrorShare": 0.05}
