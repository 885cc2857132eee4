"""The failed rows of an import once more, by the forms of a browser without script."""

from app.runtime import Runtime
from tests.conftest import Finish
from tests.dashboard.people import Dashboard
from tests.dashboard.test_fix import read_fields
from tests.support.http import post

FILE = b"_email,_name\na@example.org,Ann\nnobody,Bob\nc,Cid\n"


async def test_failed_rows_are_imported_once_more(dashboard: Dashboard, runtime: Runtime, finish: Finish) -> None:
    run = (await post(dashboard.client, dashboard.account, FILE)).json()["id"]
    await finish(runtime, run)
    own = f"/app/runs/{run}"
    shown = (await dashboard.get(own)).text
    assert f'href="{own}/retry"' in shown
    assert f'href="{own}/fix"' in shown
    rows = await dashboard.get(f"{own}/results")
    assert 'filename="contacts all rows.csv"' in rows.headers["content-disposition"]
    assert "a@example.org,Ann,2,created,a@example.org,," in rows.text

    asked = (await dashboard.get(f"{own}/retry")).text
    assert "2 rows of 3 failed" in asked
    assert "Try 2 rows again" in asked
    empty = await dashboard.post(f"{own}/retry", files={"file": ("", b"")})
    assert (empty.status_code, "Choose a file" in empty.text) == (422, True)

    again = await dashboard.post(f"{own}/retry")
    assert again.status_code == 303, again.text
    await finish(runtime, again.headers["location"].rpartition("/")[2])
    parent, asked = (await dashboard.get(own)).text, (await dashboard.get(f"{own}/retry")).text
    for page in (parent, asked):
        assert f'<a href="{again.headers["location"].partition("?")[0]}">' in page
        assert "Retry or correct there what has failed" in page
    assert f'href="{own}/retry"' not in parent
    assert f'href="{own}/fix"' not in parent
    assert f'href="{own}/failed-rows.csv"' in parent
    assert "Try 2 rows again" not in asked
    failed = (await dashboard.get(f"{own}/failed-rows.csv")).content
    corrected = await dashboard.post(
        f"{own}/retry", files={"file": ("x.csv", failed.replace(b"nobody,", b"b@example.org,"))}
    )
    assert corrected.status_code == 303, corrected.text
    await finish(runtime, corrected.headers["location"].rpartition("/")[2])
    told = (await dashboard.get(f"{own}/retry")).text
    assert "With 2 imports that came of it, 2 of 3 rows are in by now, and 1 is not" in told


async def test_a_viewer_downloads_results_and_retries_nothing(
    dashboard: Dashboard, runtime: Runtime, finish: Finish
) -> None:
    run = (await post(dashboard.client, dashboard.account, FILE)).json()["id"]
    await finish(runtime, run)
    viewer = await dashboard.as_role("viewer")
    assert (await viewer.get(f"/app/runs/{run}/results")).status_code == 200
    assert (await viewer.post(f"/app/runs/{run}/retry")).status_code == 403
    assert "/retry" not in (await viewer.get(f"/app/runs/{run}")).text


async def test_an_operator_deletes_nothing_by_a_retry_or_a_correction_of_a_delete(
    dashboard: Dashboard, runtime: Runtime, finish: Finish
) -> None:
    parts = {"type": "contacts", "delimiter": ",", "mode": "delete"}
    run = (await post(dashboard.client, dashboard.account, b"_email\nno address\n", parts=parts)).json()["id"]
    await finish(runtime, run)
    operator, own = await dashboard.as_role("operator"), f"/app/runs/{run}"
    form = read_fields((await operator.get(f"{own}/fix")).text)
    refused = [
        await operator.post(f"{own}/retry"),
        await operator.post(f"{own}/retry", files={"file": ("c.csv", b"_email\na@example.org\n")}),
        await operator.post(f"{own}/fix", form),
    ]
    assert [each.status_code for each in refused] == [403] * 3
