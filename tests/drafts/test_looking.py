"""What a draft shows before anything is written: how well things fit, and what would become of the first rows."""

from app.drafts.again import compare_columns, copy_choices
from app.drafts.check import check_draft
from app.drafts.draft import choose
from app.drafts.fits import find_fits
from app.drafts.start import start_import
from app.mappings.templates.stored import create_template
from app.resources.registry import BUILT_IN
from app.runs.model import AccountId
from app.runs.status import find_run
from app.runtime import Runtime
from tests.conftest import Finish
from tests.drafts.conftest import NewDraft, sender_of
from tests.support.http import Account

SHOP = b"Mail;Points;Note\na@example.org;1.250;x\nb@example.org;n/a;y\n;1;z\n"
COLUMNS = [
    {"column": "Mail", "field": "_email"},
    {"column": "Points", "field": "_points", "decimalComma": True},
    {"column": "Note", "ignore": True},
]


async def test_templates_and_types_are_ranked_by_how_well_they_fit(runtime: Runtime, an_account: Account) -> None:
    account_id = AccountId(an_account.id)
    async with runtime.database.transaction() as session:
        for name, headings in (("ERP", ("SKU", "Price")), ("Half", ("sku ", "Prix")), ("Other", ("A", "B"))):
            columns = [
                {"column": heading, "field": f} for heading, f in zip(headings, ("productId", "unitPrice"), strict=True)
            ]
            body = {"name": name, "type": "products", "columns": columns}
            await create_template(session, account_id, body, BUILT_IN["products"])
    fits = await find_fits(runtime, account_id, ("SKU", "Price", "_email", "_name"))
    assert [(each.name, each.fits, each.columns) for each in fits.templates] == [
        ("ERP", 2, 2),
        ("Half", 1, 2),
        ("Other", 0, 2),
    ]
    # Headings count that are usual names of fields, too: this is an ERP's file.
    best = (await find_fits(runtime, account_id, ("SKU", "URL", "Name", "Preis", "Kategorien"))).types
    assert (best[0].fits, best[0].records.count) == (5, 0)
    assert {each.name for each in best[:2]} == {"catalog", "products"}
    assert {each.name for each in fits.types} >= set(BUILT_IN)


async def test_the_first_rows_are_checked_as_the_import_would_and_nothing_is_written(
    runtime: Runtime, an_account: Account, a_draft: NewDraft, finish: Finish
) -> None:
    mapping = {"columns": COLUMNS}
    draft = await a_draft(SHOP, "shop.csv", choices={"type": "contacts", "mapping": mapping})
    checked = await check_draft(runtime, draft)
    assert checked is not None
    assert (checked.rows, checked.whole, checked.failed) == (3, True, 2)
    assert [(each["code"], each["count"]) for each in checked.problems] == [("type_error", 1), ("missing_key", 1)]
    assert [(each.line, each.key, each.fields["_points"]) for each in checked.records] == [(2, "a@example.org", "1250")]

    started = await start_import(runtime, draft, sender_of(an_account), request_id="r", check=lambda _: None)
    run_id = started.runs[0].id
    await finish(runtime, run_id)
    async with runtime.database.read() as session:
        run = await find_run(session, AccountId(an_account.id), run_id, retention_days=30)
    assert (run.failed, {each["code"] for each in run.error_summary}) == (2, {"type_error", "missing_key"})


async def test_an_earlier_import_is_copied_and_compared(
    runtime: Runtime, an_account: Account, a_draft: NewDraft
) -> None:
    choices = {"type": "contacts", "mapping": {"columns": COLUMNS}, "blankCells": "clear", "maxErrorShare": 0.1}
    draft = await a_draft(SHOP, "shop.csv", choices=choices)
    parent = (await start_import(runtime, draft, sender_of(an_account), request_id="r", check=lambda _: None)).runs[0]
    copied = copy_choices(parent)
    assert {name: copied[name] for name in ("type", "blankCells", "maxErrorShare")} == {
        "type": "contacts",
        "blankCells": "clear",
        "maxErrorShare": 0.1,
    }
    assert copied["mapping"]["columns"] == COLUMNS
    assert not compare_columns(parent, ("Points", "mail", "Note"))
    changed = compare_columns(parent, ("Mail", "Pts", "Note", "Age"))
    assert (changed.new, changed.missing) == (["Pts", "Age"], ["Points"])

    again = await a_draft(SHOP, "shop.csv", parent_id=parent.id, choices=copied)
    async with runtime.database.transaction() as session:
        again = await choose(session, again, {"name": "Second"})
    run = (await start_import(runtime, again, sender_of(an_account), request_id="r", check=lambda _: None)).runs[0]
    assert (run.parent_id, run.relation, run.name) == (parent.id, "rerun", "Second")
