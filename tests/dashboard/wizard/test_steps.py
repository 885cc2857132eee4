"""The import wizard over HTTP: every step stores what was chosen and goes on, and refuses in words."""

import asyncio
import re
import shlex
from html import unescape

import httpx
import pytest
from sqlalchemy import text

from app.drafts.draft import list_drafts
from app.runs.status import find_run
from tests.conftest import Finish
from tests.dashboard.filled import fields_shown
from tests.dashboard.people import Dashboard
from tests.dashboard.wizard.pages import (
    MAPPING,
    SHOP,
    begin,
    make_template,
    next_path,
    pass_columns,
    reach_run,
    upload,
    words,
)
from tests.support.http import stored_files
from tests.support.workbooks import xlsx

GERMAN = "_email;_name\na@example.org;Jürgen\n".encode("windows-1252")


async def test_a_file_becomes_an_import_step_by_step(dashboard: Dashboard, finish: Finish) -> None:
    template = await make_template(dashboard)
    await make_template(dashboard, "Other")
    shown = words(await dashboard.get("/app/imports/new"))
    assert "CSV, JSON Lines, also .gz, or a workbook (.xlsx, .xls, .ods), at most" in shown
    base = await begin(dashboard)
    shown = words(await dashboard.get(f"{base}/source"))
    assert "semicolon, UTF-8 · 3 rows" in shown
    assert "Mail Points Note" in shown

    assert next_path(await dashboard.post(f"{base}/source")) == f"{base}/type"
    page = await dashboard.get(f"{base}/type")
    assert "For contacts, fits 2 of 2 columns" in words(page)
    assert "Key: _email or _externalId" in words(page)
    assert "other record types" in words(page)
    wrong = await dashboard.post(f"{base}/type", {"blankCells": "clear"})
    assert (wrong.status_code, wrong.text.count("Choose a mapping template or a record type")) == (422, 2)
    chosen = {"use": f"template:{template}", "blankCells": "clear", "existing": "fill", "duplicates": "last"}
    assert next_path(await dashboard.post(f"{base}/type", chosen)) == f"{base}/columns"
    page = await dashboard.get(f"{base}/type")
    assert re.search(r'value="clear" checked', page.text)
    assert re.search(rf'value="template:{template}" checked', page.text)

    await pass_columns(dashboard, base)
    shown = words(await dashboard.get(f"{base}/check"))
    assert "2 of 3 rows would fail The whole file was checked. Nothing was written." in shown
    assert "a@example.org line 2" in shown
    assert "1250" in shown
    assert next_path(await dashboard.post(f"{base}/check")) == f"{base}/run"
    page = await dashboard.get(f"{base}/run")
    assert "Import 3 rows" in words(page)
    assert 'template "Shop"' in words(page)
    assert "Fill only what is empty" in words(page)

    posted = {"name": "August", "maxErrorShare": "80", "confirmEmail": ""}
    answers = await asyncio.gather(*(dashboard.post(f"{base}/run", posted) for _ in range(3)))
    [address] = {next_path(each) for each in answers}
    assert next_path(await dashboard.get(f"{base}/type")) == address
    run_id = address.rpartition("/")[2]
    await finish(dashboard.runtime, run_id)
    async with dashboard.runtime.database.read() as session:
        run = await find_run(session, dashboard.person.account_id, run_id, retention_days=30)
        assert not await list_drafts(session, dashboard.person.account_id)
    assert (run.name, run.created, run.failed, run.created_by) == ("August", 1, 2, dashboard.person.id)
    assert (run.options["only_empty"], run.options["blank_cells"]) == (True, "clear")
    assert run.options["brakes"]["max_error_share"] == 0.8


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"", "", "Choose a file"),
        (b"", "empty.csv", "The file is empty"),
        (b"PK\x03\x04" + bytes(2_000), "book.xlsx", "The file is a ZIP archive"),
        (b"x" * 70_000_000, "big.csv", "is larger than 52,428,800 bytes"),
    ],
)
async def test_what_is_no_file_is_refused_beside_the_field_and_nothing_is_kept(
    dashboard: Dashboard, data: bytes, name: str, told: str
) -> None:
    before = stored_files(dashboard.runtime)
    answer = await upload(dashboard, data, name)
    assert told in words(answer), words(answer)
    if answer.status_code != 413:  # which is a page of its own, before the file has arrived
        assert answer.status_code == 422
        assert 'id="file-error"' in answer.text
        assert answer.text.count("Error: ") == 1
    assert stored_files(dashboard.runtime) == before


async def test_the_file_is_read_anew_and_an_old_error_goes_away(dashboard: Dashboard) -> None:
    base = await begin(dashboard, GERMAN)
    await dashboard.post(f"{base}/source")
    shown = words(await dashboard.get(f"{base}/type"))
    assert "was read as Windows-1252" in shown
    answer = await dashboard.post(f"{base}/type", {"do": "read", "format": "jsonl"})
    assert answer.status_code == 422
    assert 'value="jsonl" selected' in answer.text
    for encoding, name in (("windows-1251", "Jьrgen"), ("windows-1252", "Jürgen")):
        read = {"do": "read", "delimiter": ";", "encoding": encoding}
        assert next_path(await dashboard.post(f"{base}/type", read)) == f"{base}/type"
        shown = words(await dashboard.get(f"{base}/type"))
        assert name in shown
        assert "There is a problem" not in shown
    await dashboard.post(f"{base}/type", {"do": "read", "hasHeader": "false", "delimiter": ";"})
    shown = words(await dashboard.get(f"{base}/type"))
    assert "Column 1 Column 2" in shown


async def test_steps_that_were_not_reached_lead_to_the_next_one_and_back_keeps_everything(
    dashboard: Dashboard,
) -> None:
    base, template = await begin(dashboard), await make_template(dashboard)
    for step in ("type", "check", "run"):
        assert next_path(await dashboard.get(f"{base}/{step}")) == f"{base}/source"
    await dashboard.post(f"{base}/source")
    assert next_path(await dashboard.get(f"{base}/run")) == f"{base}/type"
    chosen = {"use": f"template:{template}", "duplicates": "error", "nullMarker": "NULL"}
    await dashboard.post(f"{base}/type", chosen)
    for step in ("source", "type"):
        page = await dashboard.get(f"{base}/{step}")
        assert page.status_code == 200
        assert f'href="{base}/columns"' in page.text
    assert 'value="error" checked' in page.text
    assert 'value="NULL"' in page.text

    replaced = await upload(dashboard, SHOP, "other.csv", f"{base}/upload")
    assert next_path(replaced) == f"{base}/source"
    page = await dashboard.get(f"{base}/type")
    assert "other.csv" in words(page)
    assert f'value="template:{template}" checked' in page.text


async def test_a_full_queue_keeps_the_draft_and_says_so(dashboard: Dashboard) -> None:
    template = await make_template(dashboard)
    for _ in range(dashboard.runtime.settings.queue_limit):
        base = await reach_run(dashboard, template)
        next_path(await dashboard.post(f"{base}/run", {"name": "Filler"}))
    base = await reach_run(dashboard, template)
    answer = await dashboard.post(f"{base}/run", {"name": "Waits"})
    assert "The queue is full" in words(answer)
    assert 'value="Waits"' in answer.text
    assert 'value="Waits"' in (await dashboard.get(f"{base}/run")).text
    async with dashboard.runtime.database.transaction() as session:
        await session.execute(text("DELETE FROM runs WHERE account_id = :id"), {"id": dashboard.person.account_id})
    assert next_path(await dashboard.post(f"{base}/run", {"name": "Waits"})).startswith("/app/imports/")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": ""}, "“Name” must be 1 to 200 characters long"),
        ({"name": "x", "maxErrorShare": "many"}, "“Maximum failed rows, in %” must be a percentage from 0 to 100"),
        ({"name": "x", "confirmEmail": "nobody"}, "Enter an e-mail address"),
    ],
)
async def test_what_is_wrong_at_the_last_step_is_told_and_kept(
    dashboard: Dashboard, given: dict[str, str], told: str
) -> None:
    base = await reach_run(dashboard, await make_template(dashboard))
    answer = await dashboard.post(f"{base}/run", given)
    assert (answer.status_code, told in words(answer)) == (422, True)
    assert f'value="{given.get("maxErrorShare", "")}"' in answer.text


async def test_whoever_may_not_delete_cannot_replace_a_type(dashboard: Dashboard) -> None:
    operator = await dashboard.as_role("operator")
    base, template = await begin(operator), await make_template(dashboard)
    await operator.post(f"{base}/source")
    assert 'name="replace"' not in (await operator.get(f"{base}/type")).text
    answer = await operator.post(f"{base}/type", {"use": f"template:{template}", "replace": "true"})
    assert answer.status_code in (403, 422)
    assert next_path(await dashboard.post(f"{base}/type", {"use": f"template:{template}", "replace": "true"}))
    await pass_columns(dashboard, base)
    assert "Maximum removed records, in %" in words(await dashboard.get(f"{base}/run"))
    assert (await operator.post(f"{base}/run", {"name": "x"})).status_code in (403, 422)


async def test_a_colleague_goes_on_and_a_draft_is_discarded_after_a_page_that_says_so(dashboard: Dashboard) -> None:
    before = stored_files(dashboard.runtime)
    base = await begin(dashboard)
    colleague = await dashboard.as_role("operator")
    jobs = await colleague.get("/app/jobs")
    assert "Unfinished shop.csv , at Source" in words(jobs)
    assert f'href="{base}/source"' in jobs.text
    assert "Unfinished" not in words(await (await dashboard.as_role("viewer")).get("/app/jobs"))
    assert next_path(await colleague.post(f"{base}/source")) == f"{base}/type"
    assert "the file that was uploaded go for good" in words(await colleague.get(f"{base}/discard"))
    assert next_path(await colleague.post(f"{base}/discard")) == "/app/jobs"
    assert (await dashboard.get(f"{base}/type")).status_code == 404
    assert stored_files(dashboard.runtime) == before
    async with dashboard.runtime.database.read() as session:
        assert not await list_drafts(session, dashboard.person.account_id)


async def test_start_offers_what_somebody_has_a_right_to(dashboard: Dashboard) -> None:
    start = await dashboard.get("/app/start")
    assert "New import From a previous import" in words(start)
    for path in re.findall(r'href="(/app/[^"]+)"', start.text):
        assert (await dashboard.get(path)).status_code == 200, path
    assert (await (await dashboard.as_role("viewer")).get("/app/start")).status_code == 403


async def test_the_last_step_tells_the_same_as_a_command(dashboard: Dashboard, client: httpx.AsyncClient) -> None:
    """Whoever sends what it says gets the same import."""
    base = await reach_run(dashboard, await make_template(dashboard))
    page = await dashboard.get(f"{base}/run")
    command = unescape(page.text[page.text.index("<pre") :].partition("<code>")[2].partition("</code>")[0])
    assert "$SLUICE_KEY" in command
    told = shlex.split(command.replace("\\\n", ""))
    parts = dict(told[at + 1].split("=", 1) for at, word in enumerate(told) if word == "--form-string")
    assert told[-1] == "http://sluice.test/imports"
    files = {"file": ("shop.csv", SHOP, "text/csv")}
    sent = await client.post("/imports", headers=dashboard.account.headers, data=parts, files=files)
    assert sent.status_code == 201, sent.text
    ours = next_path(await dashboard.post(f"{base}/run", {"name": "Ours"})).rpartition("/")[2]
    async with dashboard.runtime.database.read() as session:
        runs = [
            await find_run(session, dashboard.person.account_id, each, retention_days=30)
            for each in (ours, sent.json()["id"])
        ]
    assert runs[0].options == runs[1].options
    assert runs[0].plan["columns"] == runs[1].plan["columns"]


async def test_what_a_file_says_is_text_on_every_page(dashboard: Dashboard) -> None:
    evil = "'><script>alert(1)</script>"
    base = await begin(dashboard, f"_email;{evil}\na@example.org;{evil}\n".encode(), f"{evil}.csv".replace("/", ""))
    await dashboard.post(f"{base}/source")
    for path in (f"{base}/source", f"{base}/type", f"{base}/discard", "/app/jobs"):
        page = await dashboard.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "alert(1)" in page.text


async def test_a_sheet_of_a_workbook_is_taken_as_its_csv(dashboard: Dashboard) -> None:
    workbook = xlsx({"Notes": [["nothing"]], "Contacts": [["_email", "_points"], ["ana@example.org", 5]]})
    answer = await dashboard.post(
        "/app/imports/new/upload", data={"sheet": "Contacts"}, files={"file": ("contacts.xlsx", workbook)}
    )
    page = words(await dashboard.get(next_path(answer)))
    assert "contacts.xlsx" in page
    assert "1 row" in page
    assert "_points" in page


async def test_the_whole_file_is_checked_without_writing_and_the_very_plan_is_imported(
    dashboard: Dashboard, finish: Finish
) -> None:
    async def checked() -> str:
        path = next_path(await dashboard.post(f"{base}/check/whole")).replace("/imports/", "/runs/")
        await finish(dashboard.runtime, path.rpartition("/")[2])
        return path

    base = await reach_run(dashboard, await make_template(dashboard), SHOP.replace(b"n/a", b"2"))
    assert "Check all 3 rows without writing" in words(await dashboard.get(f"{base}/check"))
    first, page = await checked(), await checked()
    assert "Cancelled" in words(await dashboard.get(first))  # a new check takes its place
    shown = await dashboard.get(page)
    assert "a@example.org would be created row 1 Field Now Then" in words(shown)
    assert f"/imports/{page.rpartition('/')[2]}/commit" in words(shown).partition("from a script")[2]
    assert "_points – 1250" in words(shown)
    assert f'href="{base}/check"' in shown.text
    button = re.search(r'action="([^"]+/commit[?]plan=[0-9]+)">\s*<button class="main">Import 3 rows<', shown.text)
    assert button is not None
    file = await dashboard.get(f"{page}/changes.csv")
    assert file.text.startswith("type,key,outcome,row,field,before,after")
    assert base in (await dashboard.get("/app/jobs")).text  # the draft is kept
    assert next_path(await dashboard.post(button[1])) == page
    await finish(dashboard.runtime, page.rpartition("/")[2])
    assert "Finished, 1 row failed" in words(await dashboard.get(page))
    assert next_path(await dashboard.get(f"{base}/check")).rpartition("/")[2] == page.rpartition("/")[2]


async def test_what_a_bad_row_does_is_chosen_at_the_last_step(dashboard: Dashboard, finish: Finish) -> None:
    base = await reach_run(dashboard, await make_template(dashboard))
    wrong = await dashboard.post(f"{base}/run", data={"name": "Shop", "onError": "halt"})
    assert (wrong.status_code, "“When a row fails” must be continue, stop or rollback" in words(wrong)) == (422, True)
    path = next_path(await dashboard.post(f"{base}/run", data={"name": "Shop", "onError": "rollback"}))
    run_id = path.rpartition("/")[2]
    await finish(dashboard.runtime, run_id)
    assert "of 3 rows failed, so nothing is written" in words(await dashboard.get(f"/app/runs/{run_id}"))


async def test_the_last_step_shows_what_template_and_account_say_and_what_is_chosen_counts_more(
    dashboard: Dashboard, finish: Finish
) -> None:
    headers = dashboard.account.headers
    next_path(await dashboard.post("/app/settings/account", {"maxErrors": "7", "maxErrorShare": "20"}))
    said = {"onError": "rollback", "undoable": False, "ifSameFile": "refuse", "maxErrorShare": 0.1}
    body = {"name": "Strict", "type": "contacts", **MAPPING, "options": said}
    template = (await dashboard.client.post("/mappings", headers=headers, json=body)).json()["id"]
    base = await reach_run(dashboard, template)
    page = await dashboard.get(f"{base}/run")
    assert "Maximum failed rows, in % optional Empty: 10 %, as the mapping template says" in words(page)
    assert "Maximum failed rows optional Empty: 7, as the defaults of the account say" in words(page)
    assert "Maximum new records optional Empty: no limit" in words(page)
    assert "Maximum removed" not in words(page)
    shown = fields_shown(page.text, f"{base}/run")
    assert [shown[name] for name in ("onError", "undoable", "ifSameFile", "maxErrorShare")] == [
        "rollback",
        "false",
        "refuse",
        "",
    ]
    wrong = await dashboard.post(f"{base}/run", shown | {"maxErrorShare": "90", "maxCreated": "some"})
    assert 'id="maxCreated-error">“Maximum new records” must be a whole number' in wrong.text
    chosen = {"onError": "continue", "undoable": "true", "maxErrorShare": "90", "maxCreated": "500"}
    path = next_path(await dashboard.post(f"{base}/run", shown | chosen))
    run_id = path.rpartition("/")[2]
    options = (await dashboard.client.get(f"/imports/{run_id}", headers=headers)).json()["options"]
    counting = {name: options.get(name) for name in (*said, "maxErrors", "maxCreated")}
    assert counting == {
        "onError": None,  # the default, of which the answer says nothing
        "undoable": None,
        "ifSameFile": "refuse",
        "maxErrorShare": 0.9,
        "maxErrors": 7,
        "maxCreated": 500,
    }
    await finish(dashboard.runtime, run_id)
    again = await dashboard.post(f"{await reach_run(dashboard, template)}/run", {"name": "Twice"})
    assert (again.status_code, "The same file was imported before" in words(again)) == (409, True)
