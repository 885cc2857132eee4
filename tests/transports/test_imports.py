"""Imports whose file is pulled: the same records by every way, failures that say which step, no credential anywhere."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from app.connections.pull import Pull
from app.imports.engine import work
from app.imports.intake import Submission, submit
from app.imports.plan import Options, ReadOptions
from app.runs.lifecycle import work_on
from app.runs.model import AccountId, Run, RunId, run_from
from app.runtime import Runtime
from app.storage import claims, records, runs
from app.storage.access import administered
from app.transports.transport import Remote, TransferPolicy
from tests.support.http import Account, stored_files
from tests.support.workbooks import xlsx
from tests.transports.servers.server import PASSWORD, Certificates, Server, black_hole, policy

FILE = "_email,_name,_points\nana@example.com,Ana,1\nbob@example.com,Bob,many\nzoë@example.com,Zoë,3\n".encode()
OLD = datetime(2024, 5, 1, tzinfo=UTC)
Patient = Callable[..., TransferPolicy]


class Pulling:
    """Imports of one account whose files come from elsewhere."""

    def __init__(self, runtime: Runtime, account: Account, calls: TransferPolicy) -> None:
        self.runtime = replace(runtime, transfer_policy=calls)
        self.account_id = AccountId(account.id)

    async def start(self, remote: Remote, path: str, **more: Any) -> Run:
        wanted = Submission(
            self.account_id,
            "api",
            "contacts",
            Pull(remote, path),
            options=Options(**more.pop("options", {})),
            **more,
        )
        return await submit(self.runtime, wanted)

    async def get(self, run: Run) -> Run:
        async with self.runtime.database.read() as session:
            row = await runs.get(session, self.account_id, run.id)
        assert row is not None
        return run_from(row)

    async def slice(self, run: Run) -> Run:
        await work_on(self.runtime, RunId(run.id), work)
        return await self.get(run)

    async def finish(self, run: Run) -> Run:
        while not (run := await self.slice(run)).done:
            await self.soon(run)
        return run

    async def soon(self, run: Run) -> None:
        """A run that was put off is due at once."""
        async with self.runtime.database.transaction() as session:
            await session.execute(text("UPDATE runs SET due_at = now() WHERE id = :id"), {"id": run.id})

    async def records(self) -> dict[str, str]:
        async with self.runtime.database.snapshot() as session:
            rows = (await records.page(session, self.account_id, "contacts", after=None, limit=1_000)).rows
        return {row["key"]: row["data"] for row in rows}


@pytest.fixture
async def pulling(runtime: Runtime, an_account: Account, patient: Patient) -> Pulling:
    return Pulling(runtime, an_account, patient())


async def test_a_file_gives_the_same_records_and_problems_by_every_way(server: Server, pulling: Pulling) -> None:
    await server.store("in/contacts.csv", FILE, OLD)
    accepted = await pulling.start(server.remote, "in/contacts.csv")
    assert (accepted.state, accepted.total, accepted.remaining) == ("queued", None, None)

    run = await pulling.finish(accepted)

    assert (run.state, run.total, run.created, run.failed) == ("finished", 3, 2, 1)
    assert (run.file_bytes, run.fetched_bytes, run.file_name) == (len(FILE), len(FILE), "contacts.csv")
    assert [each["code"] for each in run.error_summary] == ["type_error"]
    assert await pulling.records() == {
        "ana@example.com": '{"_name": "Ana", "_email": "ana@example.com", "_points": 1}',
        "zoë@example.com": '{"_name": "Zoë", "_email": "zoë@example.com", "_points": 3}',
    }


async def test_a_file_that_release_0_1_was_to_fetch_is_read_as_it_was_asked(web: Server, pulling: Pulling) -> None:
    await web.store("contacts.csv", "zoe@example.com,Zoë\n".encode("windows-1252"), OLD)
    run = await pulling.start(web.remote, "contacts.csv")
    wish = {
        "format": "csv",
        "delimiter": ",",
        "encoding": "windows-1252",
        "caseless": True,
        "headings": None,
        "columns": ["_email", "_NAME"],
        "has_header": False,
    }
    async with pulling.runtime.database.transaction() as session:
        await session.execute(
            text(
                "UPDATE runs SET plan = CAST(:plan AS jsonb), options = options || CAST(:more AS jsonb) WHERE id = :id"
            ),
            {
                "id": run.id,
                "plan": json.dumps({"wish": wish}),
                "more": json.dumps({"constants": {"_surname": '"Ruiz"'}}),
            },
        )
    ended = await pulling.finish(run)
    assert (ended.state, ended.created) == ("finished", 1)
    assert await pulling.records() == {
        "zoe@example.com": '{"_name": "Zoë", "_email": "zoe@example.com", "_surname": "Ruiz"}'
    }


async def test_a_run_is_running_while_its_file_is_fetched_and_has_no_secret_afterwards(
    server: Server, pulling: Pulling
) -> None:
    await server.store("contacts.csv", FILE, OLD)
    accepted = await pulling.start(server.remote, "contacts.csv")
    assert accepted.secret is not None
    assert PASSWORD.encode() not in accepted.secret

    fetched = await pulling.slice(accepted)

    assert (fetched.state, fetched.total, fetched.secret) == ("running", 3, None)
    assert PASSWORD not in repr(fetched.source)
    assert set(fetched.source or {}) <= {"transport", "host", "port", "path", "bucket", "region"}


async def test_a_wrong_password_fails_the_run_with_its_step_and_leaves_nothing(
    server: Server, pulling: Pulling
) -> None:
    await server.store("contacts.csv", FILE, OLD)
    before = set(pulling.runtime.blobs.root.rglob("*"))
    run = await pulling.finish(await pulling.start(server.unwelcome(), "contacts.csv"))

    assert (run.state, run.fail_code, run.secret) == ("failed", "source_authenticate", None)
    assert "wrong" not in (run.fail_detail or "")
    assert set(pulling.runtime.blobs.root.rglob("*")) == before


async def test_a_file_beyond_the_quota_of_the_account_fails_its_import(web: Server, pulling: Pulling) -> None:
    await web.store("people.csv", FILE, OLD)
    before = {each for each in pulling.runtime.blobs.root.rglob("*") if each.is_file()}
    run = await pulling.start(web.remote, "people.csv")
    async with pulling.runtime.database.transaction() as session:
        await administered.set_quotas(session, pulling.account_id, '{"stored_bytes": 3}')
    run = await pulling.finish(run)
    assert (run.state, run.fail_code) == ("failed", "file_refused")
    assert "quota of stored files" in str(run.fail_detail)
    assert {each for each in pulling.runtime.blobs.root.rglob("*") if each.is_file()} == before


async def test_a_sheet_of_a_workbook_is_fetched_as_its_csv(web: Any, pulling: Pulling) -> None:
    workbook = xlsx({"Notes": [["nothing"]], "Contacts": [["_email"], ["ana@example.org"]]})
    await web.store("in/contacts.xlsx", workbook)
    run = await pulling.finish(await pulling.start(web.remote, "in/contacts.xlsx", read=ReadOptions(sheet="Contacts")))
    assert (run.state, run.total, run.created) == ("finished", 1, 1)


async def test_a_missing_file_fails_the_run_with_its_step(server: Server, pulling: Pulling) -> None:
    run = await pulling.finish(await pulling.start(server.remote, "nothing.csv"))
    assert (run.state, run.fail_code) == ("failed", "source_find")


async def test_a_connection_that_breaks_is_resumed(server: Server, pulling: Pulling) -> None:
    rows = b"_email\n" + b"".join(b"person%07d@example.com\n" % n for n in range(40_000))
    await server.store("contacts.csv", rows, OLD)
    server.cut_after(500_000)
    run = await pulling.slice(await pulling.start(server.remote, "contacts.csv"))
    assert (run.total, run.file_bytes) == (40_000, len(rows))


async def test_an_address_that_is_not_public_is_refused_before_it_is_called(
    server: Server, pulling: Pulling, certificates: Certificates
) -> None:
    await server.store("contacts.csv", FILE, OLD)
    strict = policy(certificates.client())
    pulling.runtime = replace(pulling.runtime, transfer_policy=replace(strict, guard=type(strict.guard)()))
    run = await pulling.finish(await pulling.start(server.remote, "contacts.csv"))
    assert (run.state, run.fail_code) == ("failed", "source_resolve")


async def test_a_source_that_is_away_is_tried_again_later_and_not_for_ever(pulling: Pulling, patient: Patient) -> None:
    with black_hole() as port:
        pulling.runtime = replace(pulling.runtime, transfer_policy=patient(connect_seconds=0.2, tries=1))
        run = await pulling.slice(await pulling.start(Remote("http", "127.0.0.1", port), "/x.csv"))
        assert (run.state, run.fetches, run.crashes) == ("running", 1, 0)
        assert run.secret is not None
        async with pulling.runtime.database.read() as session:
            assert run.id not in [row["id"] for row in await claims.due(session)]
        await pulling.soon(run)
        run = await pulling.finish(run)
    assert (run.state, run.fail_code, run.fetches, run.secret) == ("failed", "source_connect", 3, None)


@pytest.mark.parametrize(
    ("file", "told"), [(b"", "is empty"), (b"_name\nAna\n", "_email"), (b"_email,_email\na,b\n", "Two columns fill")]
)
async def test_a_file_that_cannot_be_imported_fails_the_run_with_the_reason(
    web: Any, pulling: Pulling, file: bytes, told: str
) -> None:
    await web.store("x.csv", file, OLD)
    run = await pulling.finish(await pulling.start(web.remote, "x.csv"))
    assert (run.state, run.fail_code) == ("failed", "file_refused")
    assert told in (run.fail_detail or "")


async def test_a_file_that_is_too_large_fails_the_run(web: Any, pulling: Pulling, patient: Patient) -> None:
    await web.store("x.csv", FILE, OLD)
    pulling.runtime = replace(pulling.runtime, transfer_policy=patient(limit=10))
    run = await pulling.finish(await pulling.start(web.remote, "x.csv"))
    assert (run.state, run.fail_code) == ("failed", "source_read")


async def test_credentials_of_another_run_open_nothing(web: Any, pulling: Pulling) -> None:
    await web.store("x.csv", FILE, OLD)
    first, second = [await pulling.start(web.remote, "x.csv") for _ in range(2)]
    async with pulling.runtime.database.transaction() as session:
        await session.execute(
            text("UPDATE runs SET secret = (SELECT secret FROM runs WHERE id = :first) WHERE id = :second"),
            {"first": first.id, "second": second.id},
        )
    # Put off at first: another machine may have keys that this one lacks.
    run = await pulling.finish(second)
    assert (run.state, run.fail_code) == ("failed", "source_locked")


async def test_a_worker_that_lost_its_run_while_fetching_leaves_it_alone(
    web: Any, pulling: Pulling, runtime: Runtime
) -> None:
    await web.store("x.csv", FILE, OLD)
    run = await pulling.start(web.remote, "x.csv")
    async with pulling.runtime.database.transaction() as session:
        row = await claims.claim(session, run.id, lease=15)
        assert row is not None
        await session.execute(text("UPDATE runs SET attempt = attempt + 1 WHERE id = :id"), {"id": run.id})
    async with pulling.runtime.database.transaction() as session:
        assert not await runs.store_fetched_file(session, run.id, row["attempt"], {"total": 5})
        assert not await runs.store_fetched_bytes(session, run.id, row["attempt"], 5)


async def test_a_query_that_may_hold_a_token_is_shown_nowhere(web: Any, pulling: Pulling) -> None:
    await web.store("x.csv?token=marker", FILE, OLD)
    run = await pulling.finish(await pulling.start(web.remote, "x.csv?token=marker"))
    assert run.state == "finished"
    assert "marker" not in repr((run.source, run.file_name, run.warnings))


async def test_a_file_that_is_fetched_may_be_refused_for_having_been_imported_before(
    running_ftp: Server, pulling: Pulling
) -> None:
    await running_ftp.clear()
    await running_ftp.store("in/contacts.csv", FILE, OLD)
    options = {name: {"if_same_file": name} for name in ("report", "refuse")}
    first = await pulling.finish(await pulling.start(running_ftp.remote, "in/contacts.csv", options=options["refuse"]))
    again = await pulling.finish(await pulling.start(running_ftp.remote, "in/contacts.csv", options=options["report"]))
    files = stored_files(pulling.runtime)
    last = await pulling.finish(await pulling.start(running_ftp.remote, "in/contacts.csv", options=options["refuse"]))
    assert (first.state, [each["code"] for each in first.warnings]) == ("finished", [])
    assert (again.state, [(each["code"], each["subject"]) for each in again.warnings]) == (
        "finished",
        [("same_file", first.id)],
    )
    assert (last.state, last.fail_code, last.blob) == ("failed", "file_refused", None)
    assert f"The same file was imported before, by import {again.id}" in (last.fail_detail or "")
    assert stored_files(pulling.runtime) == files
