"""An import from a previous one: what is copied, and where a file with other columns leads."""

from app.drafts.run_choice import is_of_file
from app.imports.plan import load_request
from app.mappings.templates.stored import load_template, replace_template
from app.resources.registry import BUILT_IN
from app.runs.status import find_run
from tests.conftest import Finish
from tests.dashboard.people import Dashboard
from tests.dashboard.wizard.pages import MAPPING, SHOP, make_template, next_path, reach_run, upload, words


async def test_the_same_columns_lead_to_the_last_step_and_others_to_the_columns(
    dashboard: Dashboard, finish: Finish
) -> None:
    assert "Nothing has been imported yet." in words(await dashboard.get("/app/imports/again"))
    base = await reach_run(dashboard, await make_template(dashboard))
    first = next_path(await dashboard.post(f"{base}/run", {"name": "First", "maxErrorShare": "90"})).rpartition("/")[2]
    await finish(dashboard.runtime, first)
    assert "First contacts Upload" in words(await dashboard.get("/app/imports/again"))
    shown = words(await dashboard.get(f"/app/imports/again/{first}"))
    assert "Record type contacts" in shown
    assert '2 columns mapped, 1 ignored, template "Shop"' in shown

    page = f"/app/imports/again/{first}"
    refused = await upload(dashboard, b"", "", page)
    assert (refused.status_code, 'id="file-error"' in refused.text) == (422, True)
    same = next_path(await upload(dashboard, SHOP.replace(b"Mail", b"MAIL"), "next.csv", page))
    assert same.endswith("/run")
    shown = await dashboard.get(same)
    assert 'value="First"' in shown.text
    assert 'value="90"' in shown.text
    assert 'template "Shop"' in words(shown)
    second = next_path(await dashboard.post(same, {"name": "Second", "maxErrorShare": "90"})).rpartition("/")[2]
    async with dashboard.runtime.database.read() as session:
        run = await find_run(session, dashboard.person.account_id, second, retention_days=30)
    assert (run.parent_id, run.relation, run.name, run.options["brakes"]["max_error_share"]) == (
        first,
        "rerun",
        "Second",
        0.9,
    )

    kept = next_path(await upload(dashboard, SHOP, "kept.csv", page))
    other = await upload(dashboard, b"Mail;Age;Size\na@example.org;1;2\n", "other.csv", page)
    assert next_path(other).endswith("/columns")
    assert "2%20columns%20are%20new%2C%201%20is%20missing" in dashboard.client.cookies["sluice-notice"]

    # What is prepared needs no earlier import any more.
    assert next_path(await dashboard.post(f"/app/runs/{first}/delete")) == "/app/jobs"
    assert next_path(await dashboard.post(kept, {"name": "Third"})).startswith("/app/imports/")


async def test_a_name_of_the_earlier_file_is_not_kept_and_a_template_only_while_it_says_the_same(
    dashboard: Dashboard, finish: Finish
) -> None:
    template_id = await make_template(dashboard)
    base = await reach_run(dashboard, template_id)
    first = next_path(await dashboard.post(f"{base}/run", {"name": "shop.csv, 1 May 2026"})).rpartition("/")[2]
    await finish(dashboard.runtime, first)

    shown = await dashboard.get(next_path(await upload(dashboard, SHOP, "shop-08.csv", f"/app/imports/again/{first}")))
    assert 'value="shop-08.csv, ' in shown.text
    assert '2 columns mapped, 1 ignored, template "Shop"' in words(shown)
    assert "settled" not in shown.text  # that the draft knows, and no request takes

    async with dashboard.runtime.database.transaction() as session:
        stored = await load_template(session, dashboard.person.account_id, template_id)
        changed = {"name": "Shop", "columns": MAPPING["columns"][:2]}
        await replace_template(session, dashboard.person.account_id, stored, changed, BUILT_IN["contacts"])
    last = next_path(await upload(dashboard, SHOP, "shop-09.csv", f"/app/imports/again/{first}"))
    assert "2 columns mapped, 1 ignored, as in the earlier import" in words(await dashboard.get(last))
    second = next_path(await dashboard.post(last, {"name": "Second"})).rpartition("/")[2]
    async with dashboard.runtime.database.read() as session:
        run = await find_run(session, dashboard.person.account_id, second, retention_days=30)
    assert load_request(run).mapping.id == "inline"


def test_a_name_is_of_a_file_if_it_begins_with_that() -> None:
    assert is_of_file("prices-07.csv, 27 November 2026", "prices-07.csv")
    assert not is_of_file("Prices of July", "prices-07.csv")
    assert not is_of_file("Prices of July", None)
