"""The step "Columns" of the wizard: what it keeps, what it refuses, and what it saves for other imports."""

import re
from typing import Any

import httpx
import pytest

from app.drafts.draft import load_draft
from tests.dashboard.people import Dashboard
from tests.dashboard.wizard.pages import SHOP, begin, make_template, next_path, pass_columns, reach_run, upload, words

MAIL = {"field-0": "_email"}
CHOSEN = {**MAIL, "field-1": "_points", "decimalComma-1": "true", "field-2": "-", "number": "1"}


async def reach_columns(dashboard: Dashboard, use: str = "type:contacts", data: bytes = SHOP) -> str:
    base = await begin(dashboard, data)
    await dashboard.post(f"{base}/source")
    assert next_path(await dashboard.post(f"{base}/type", {"use": use})) == f"{base}/columns"
    return f"{base}/columns"


def seen_on(page: httpx.Response) -> str:
    """What the form of a page says that it has shown."""
    [seen] = re.findall(r'name="seen" value="(\w+)"', page.text)
    return str(seen)


async def go_on(dashboard: Dashboard, page: str, **changed: str) -> str:
    """The address that the form leads to."""
    return next_path(await dashboard.post(page, CHOSEN | {"go": "next", "save": "no"} | changed))


async def mapping_of(dashboard: Dashboard, path: str) -> dict[str, Any]:
    answer = await dashboard.client.get(path, headers=dashboard.account.headers)
    return dict(answer.json())


async def test_what_is_chosen_is_kept_and_is_what_the_import_goes_by(dashboard: Dashboard) -> None:
    page = await reach_columns(dashboard)
    shown = words(await dashboard.get(page))
    assert "Which column is what?" in shown
    assert "2 mapped, 1 left open. 2 need you." in shown
    assert await go_on(dashboard, page) == page.replace("columns", "check")
    assert "2 mapped, 1 ignored" in words(await dashboard.get(page))
    run = page.replace("columns", "run")
    await dashboard.post(page.replace("columns", "check"))
    started = next_path(await dashboard.post(run, {"name": "Points"}))
    imported = await mapping_of(dashboard, started.removeprefix("/app"))
    assert (imported["name"], imported["total"]) == ("Points", 3)
    columns = await mapping_of(dashboard, f"{started.removeprefix('/app')}/columns")
    assert [each.get("field") for each in columns["results"]] == ["_email", "_points", None]
    told = words(await dashboard.get(f"{started.replace('imports', 'runs')}/columns"))
    assert "Mail _email It is named in the mapping" in told


async def test_a_column_that_is_given_a_date_fits_at_once(dashboard: Dashboard) -> None:
    page = await reach_columns(dashboard, data=b"Mail;Bis\na@example.org;31.12.2026\n")
    chosen = {**MAIL, "field-1": "_birthdate", "number": "1", "go": "check"}
    assert next_path(await dashboard.post(page, chosen)) == page
    shown = await dashboard.get(page)
    assert 'value="DD.MM.YYYY"' in shown.text
    assert "2 mapped." in words(shown)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"field-0": "-"}, ", by which records are told apart. Choose it for one of the columns"),
        ({"field-2": "_points"}, "Columns Points and Note become _points alike"),
        ({"field-1": "", "field-2": "-"}, "Only the key is mapped, so nothing would change"),
        ({"save": "new", "name": ""}, "“Name of the new template” must be 1 to 200 characters long"),
        ({"nullMarker-1": "x" * 256}, "nullMarker of column Points must be text"),
    ],
)
async def test_what_cannot_work_is_refused_and_stays_on_the_page(
    dashboard: Dashboard, changed: dict[str, str], told: str
) -> None:
    page = await reach_columns(dashboard)
    answer = await dashboard.post(page, CHOSEN | {"go": "next", "save": "no"} | changed)
    assert answer.status_code == 422
    assert told in words(answer)
    assert all(value in answer.text for value in changed.values())


async def test_a_mapping_is_saved_as_a_new_template_or_over_the_one_that_was_chosen(dashboard: Dashboard) -> None:
    template = await make_template(dashboard)
    page = await reach_columns(dashboard, f"template:{template}")
    assert "Overwrite Shop" in words(await dashboard.get(page))
    # Nothing was changed: the import names the template.
    await go_on(dashboard, page)
    await dashboard.post(page.replace("columns", "check"))
    assert "Shop" in words(await dashboard.get(page.replace("columns", "run")))
    await go_on(dashboard, page, **{"field-2": "_name", "save": "new", "name": "With names"})
    listed = (await mapping_of(dashboard, "/mappings"))["results"]
    assert [each["name"] for each in listed] == ["Shop", "With names"]
    again = await reach_columns(dashboard, f"template:{template}")
    await go_on(dashboard, again, **{"field-2": "_surname", "save": "overwrite"})
    stored = await mapping_of(dashboard, f"/mappings/{template}")
    assert (stored["name"], stored["columns"][2]) == ("Shop", {"column": "Note", "field": "_surname"})
    taken = await dashboard.post(again, CHOSEN | {"go": "next", "save": "new", "name": "With names"})
    assert (taken.status_code, "There is already a mapping template" in words(taken)) == (422, True)


async def test_another_type_begins_anew_and_a_viewer_sees_nothing(dashboard: Dashboard) -> None:
    page = await reach_columns(dashboard)
    await go_on(dashboard, page)
    assert next_path(await dashboard.post(page.replace("columns", "type"), {"use": "type:customers"})) == page
    assert "2 mapped, 1 left open. 1 needs you." in words(await dashboard.get(page))
    assert (await (await dashboard.as_role("viewer")).get(page)).status_code == 403


async def test_what_was_chosen_for_another_file_is_not_taken_for_this_one(dashboard: Dashboard) -> None:
    page = await reach_columns(dashboard, data=b"_email,_name,_surname\na@example.org,An,Z\n")
    base = page.removesuffix("/columns")
    fields = {"field-0": "_email", "field-1": "_name", "field-2": "_surname", "go": "next", "save": "no"}
    sent = fields | {"seen": seen_on(await dashboard.get(page))}
    # In another tab, or by a colleague.
    await upload(dashboard, b"_email,_surname,_name\na@example.org,Z,An\n", "b.csv", f"{base}/upload")
    told = await dashboard.post(page, sent)
    assert (told.status_code, "These are its columns now" in words(told)) == (422, True)
    assert next_path(await dashboard.post(page, sent | {"seen": seen_on(told)})) == f"{base}/check"

    await dashboard.post(f"{base}/check")
    seen = seen_on(await dashboard.get(f"{base}/run"))
    await dashboard.post(f"{base}/type", {"use": "type:contacts", "blankCells": "clear", "duplicates": "last"})
    told = await dashboard.post(f"{base}/run", {"name": "x", "seen": seen})
    assert (told.status_code, "Look at it once more" in words(told)) == (422, True)
    again = {"name": "x", "maxErrorShare": "a", "seen": seen_on(told)}
    assert "must be a percentage" in words(await dashboard.post(f"{base}/run", again))
    started = next_path(await dashboard.post(f"{base}/run", again | {"maxErrorShare": "5"}))
    assert started.startswith("/app/imports/")


async def test_a_template_that_is_deleted_meanwhile_leads_to_choosing_another(dashboard: Dashboard) -> None:
    template = await make_template(dashboard)
    base = await reach_run(dashboard, template)
    await dashboard.post(f"/app/templates/{template}/delete")
    for answer in (
        await dashboard.get(f"{base}/check"),
        await dashboard.get(f"{base}/run"),
        await dashboard.post(f"{base}/run", {"name": "x"}),
    ):
        assert next_path(answer) == f"{base}/type"
    shown = words(await dashboard.get(f"{base}/type"))
    assert "The mapping template that was chosen is there no more. Choose another one" in shown
    assert next_path(await dashboard.post(f"{base}/type", {"use": "type:contacts"})) == f"{base}/columns"


async def test_a_file_that_is_lost_leads_to_sending_it_again(dashboard: Dashboard) -> None:
    page = await reach_columns(dashboard)
    base = page.removesuffix("/columns")
    async with dashboard.runtime.database.read() as session:
        draft = await load_draft(session, dashboard.person.account_id, base.rpartition("/")[2])
    dashboard.runtime.blobs.delete(draft.blob or "")
    await pass_columns(dashboard, base)
    for step in ("columns", "check"):
        assert next_path(await dashboard.get(f"{base}/{step}")) == f"{base}/source"
    assert "not stored any more. Send it again." in words(await dashboard.get(f"{base}/source"))
