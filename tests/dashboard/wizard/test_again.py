"""An import from a previous one: what is copied, and where a file with other columns leads."""

from app.runs.status import find_run
from tests.conftest import Finish
from tests.dashboard.people import Dashboard
from tests.dashboard.wizard.pages import SHOP, make_template, next_path, reach_run, upload, words


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
