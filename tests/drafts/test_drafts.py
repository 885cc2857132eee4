"""A draft keeps a file and what was chosen for it, and becomes one import, once."""

import asyncio
import gzip

import pytest
from sqlalchemy import text

from app.drafts.draft import MOST_DRAFTS, choose, discard_draft, drop_files, list_drafts, load_draft
from app.drafts.file import read_again
from app.drafts.start import start_import
from app.errors import Refused
from app.runs.model import AccountId, run_from
from app.runtime import Runtime
from app.storage import runs
from app.storage.access import administered
from app.storage.drafts import rows
from tests.conftest import Finish
from tests.drafts.conftest import NewDraft, sender_of
from tests.support.http import CONTACTS, Account, stored_files
from workers.housekeeping import prune

GERMAN = "_email;_name\na@example.org;Jürgen\nb@example.org;Ägidius\n".encode("windows-1252")


async def test_a_file_is_kept_as_it_was_sent_and_says_what_it_is(runtime: Runtime, a_draft: NewDraft) -> None:
    draft = await a_draft(gzip.compress(GERMAN), "people.csv.gz")
    assert draft.facts is not None
    assert (draft.facts.format, draft.facts.delimiter, draft.facts.encoding) == ("csv", ";", "windows-1252")
    assert (draft.facts.header, draft.facts.rows) == (("_email", "_name"), 2)
    assert draft.facts.first[0] == ("a@example.org", "Jürgen")
    assert [odd.split(".")[0] for odd in draft.facts.odd] == ["It is not UTF-8 and was read as Windows-1252"]

    other = await read_again(runtime, draft, {"encoding": "windows-1251", "delimiter": ","})
    assert other is not None
    assert (other.header, other.first[0]) == (("_email;_name",), ("a@example.org;Jьrgen",))
    assert [odd.split(".")[0] for odd in other.odd] == ["Only one column was found"]


@pytest.mark.parametrize(
    ("data", "name", "odd"),
    [
        (b"a@example.org,1\nb@example.org,2\n", "x.csv", "The first row looks like data"),
        (b"a,b,a\n1,2,3\n", "x.csv", "Several columns are called `a`"),
        (b'a,b\n1,2\n"x\n', "x.csv", "1 of the first 2 rows cannot be read, the first of them in line 3"),
        (b"a,b\n", "x.csv", "It has a header, and no rows"),
    ],
)
async def test_what_is_odd_about_a_file_is_said_at_once(a_draft: NewDraft, data: bytes, name: str, odd: str) -> None:
    draft = await a_draft(data, name)
    assert draft.facts is not None
    assert any(each.startswith(odd) for each in draft.facts.odd), draft.facts.odd


async def test_a_file_that_cannot_be_read_becomes_no_draft(
    runtime: Runtime, an_account: Account, a_draft: NewDraft
) -> None:
    before = stored_files(runtime)
    for data in (b"", b"PK\x03\x04" + bytes(2_000)):
        with pytest.raises(Refused, match=r"empty|file"):
            await a_draft(data, "x.xlsx")
    async with runtime.database.read() as session:
        assert not await list_drafts(session, AccountId(an_account.id))
    assert stored_files(runtime) == before


async def test_a_file_beyond_the_quota_becomes_no_draft_and_takes_the_place_of_another(
    runtime: Runtime, an_account: Account, a_draft: NewDraft
) -> None:
    async with runtime.database.transaction() as session:
        await administered.set_quotas(session, an_account.id, '{"stored_bytes": 30}')
    draft = await a_draft(b"_email\na@example.org\n")
    before = stored_files(runtime)
    with pytest.raises(Refused, match="quota of stored files"):
        await a_draft(b"_email\nb@example.org\n")
    assert stored_files(runtime) == before
    assert (await a_draft(b"_email\nb@example.org\n", draft=draft)).id == draft.id


async def test_a_draft_becomes_one_import_however_often_it_is_started(
    runtime: Runtime, an_account: Account, a_draft: NewDraft, finish: Finish
) -> None:
    draft = await a_draft(GERMAN, choices={"type": "contacts", "name": "Newsletter", "overrideExisting": False})
    tries = [
        start_import(runtime, draft, sender_of(an_account), request_id="r", check=lambda _: None) for _ in range(3)
    ]
    ended = await asyncio.gather(*tries, return_exceptions=True)
    [started] = [each for each in ended if not isinstance(each, BaseException)]
    assert {each.code for each in ended if isinstance(each, Refused)} <= {"not_found", "gone"}

    async with runtime.database.read() as session:
        done = await load_draft(session, AccountId(an_account.id), draft.id)
        assert (done.run_id, done.blob) == (started.runs[0].id, None)
        assert not await list_drafts(session, AccountId(an_account.id))
    await finish(runtime, started.runs[0].id)
    async with runtime.database.read() as session:
        row = await runs.get(session, an_account.id, started.runs[0].id)
    assert row is not None
    run = run_from(row)
    assert (run.created, run.failed, run.name, run.origin) == (2, 0, "Newsletter", "dashboard")
    assert (run.file_bytes, run.options["override_existing"]) == (len(GERMAN), False)


async def test_a_full_queue_leaves_the_draft_as_it_was(
    runtime: Runtime, an_account: Account, a_draft: NewDraft
) -> None:
    for _ in range(runtime.settings.queue_limit):
        made = await a_draft(CONTACTS, choices={"type": "contacts"})
        await start_import(runtime, made, sender_of(an_account), request_id="r", check=lambda _: None)
    draft = await a_draft(CONTACTS, choices={"type": "contacts"})
    with pytest.raises(Refused) as refused:
        await start_import(runtime, draft, sender_of(an_account), request_id="r", check=lambda _: None)
    assert refused.value.code == "queue_full"
    async with runtime.database.read() as session:
        assert await load_draft(session, AccountId(an_account.id), draft.id) == draft
    assert any(draft.blob in file for file in stored_files(runtime) if draft.blob)


async def test_nothing_is_lost_by_choosing_and_a_file_goes_with_its_draft(
    runtime: Runtime, an_account: Account, a_draft: NewDraft
) -> None:
    account_id, before = AccountId(an_account.id), stored_files(runtime)
    draft = await a_draft(CONTACTS)
    async with runtime.database.transaction() as session:
        draft = await choose(session, draft, {"type": "contacts", "delimiter": ";"}, next_step="columns")
        draft = await choose(session, draft, {"delimiter": None, "blankCells": "clear"}, next_step="type")
    assert (draft.choices, draft.step) == ({"type": "contacts", "blankCells": "clear"}, "columns")
    other = await a_draft(GERMAN, "other.csv", draft=draft)
    assert (other.id, other.choices, other.file_name) == (draft.id, draft.choices, "other.csv")

    async with runtime.database.transaction() as session:
        blob = await discard_draft(session, account_id, draft.id)
    await drop_files(runtime, [blob])
    assert stored_files(runtime) == before
    async with runtime.database.read() as session:
        with pytest.raises(Refused, match="no such draft"):
            await load_draft(session, account_id, draft.id)


async def test_drafts_of_an_account_are_few_and_old_ones_go_with_their_files(
    runtime: Runtime, an_account: Account, a_draft: NewDraft
) -> None:
    before = stored_files(runtime)
    for _ in range(MOST_DRAFTS):
        await a_draft(CONTACTS)
    with pytest.raises(Refused, match="20 imports are unfinished"):
        await a_draft(CONTACTS)
    async with runtime.database.transaction() as session:
        await session.execute(
            text("UPDATE drafts SET expires_at = now() WHERE account_id = :id"), {"id": an_account.id}
        )
        assert not await rows.list_open(session, an_account.id)
    await prune(runtime, "")
    assert stored_files(runtime) == before
    async with runtime.database.read() as session:
        left = await session.execute(text("SELECT count(*) FROM drafts WHERE account_id = :id"), {"id": an_account.id})
    assert left.scalar_one() == 0
