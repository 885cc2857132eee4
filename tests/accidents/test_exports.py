"""Exports while the machine is in trouble: they wait, leave nothing behind, and go on."""

import resource
from dataclasses import replace
from pathlib import Path

from app.declarations.types import declare_type
from app.exports import engine
from app.exports.intake import ExportRequest, submit_export
from app.runs.lifecycle import work_on
from app.runs.model import AccountId
from app.runtime import Runtime, open_runtime
from app.storage.access import accounts
from app.storage.blobs import FileBlobs
from tests.exports.conftest import Exports
from tests.storage.conftest import files
from tests.support.http import Account
from tests.support.limits import limited

ROWS = 5_000
FILE = "_email,_name\n" + "".join(f"contact{row}@example.org,Name of many letters\n" for row in range(ROWS))
WAITS = "SELECT extract(epoch FROM due_at - now()) AS seconds FROM runs WHERE id = :id"


async def test_an_export_without_room_waits_as_long_as_a_fetch_and_leaves_nothing(
    runtime: Runtime, an_account: Account, tmp_path: Path
) -> None:
    """Every try reads all records again."""
    exports = Exports(replace(runtime, blobs=FileBlobs(tmp_path / "blobs")), AccountId(an_account.id))
    imported = await exports.load(FILE)
    assert imported.created == ROWS
    before = files(tmp_path / "blobs")
    run = await submit_export(exports.runtime, ExportRequest(exports.account_id, "native", "contacts"))
    with limited(resource.RLIMIT_FSIZE, 100_000):
        await work_on(exports.runtime, run.id, engine.work)
    run = await exports.get(run)
    assert (run.state, run.waiting_for, run.crashes, run.blob) == ("running", "storage", 0, None)
    assert files(tmp_path / "blobs") == before
    ((waits,),) = [row.values() for row in await exports.sql(WAITS, id=run.id)]
    assert waits > 5

    await exports.sql("UPDATE runs SET due_at = now() WHERE id = :id", id=run.id)
    await work_on(exports.runtime, run.id, engine.work)
    run = await exports.get(run)
    assert (run.state, run.at_row) == ("finished", ROWS)


async def test_an_export_that_postgresql_never_has_room_for_fails_with_a_reason(alone: Runtime) -> None:
    """To sort the records by what made them takes room beside the table."""
    async with alone.database.transaction() as session:
        account_id = AccountId(await accounts.account_named(session, "short"))
        fields = [{"id": "title", "type": "text"}, {"id": "parent", "type": "reference", "to": "things"}]
        await declare_type(session, account_id, "things", {"key": "title", "fields": fields})
    rows = "".join(f"title {row} {'x' * 100}\n" for row in range(3_000))
    everything = Exports(alone, account_id)
    assert (await everything.load(f"title\n{rows}", "things", delimiter=",")).created == 3_000
    for setting in ("temp_file_limit", "work_mem"):  # in kB
        change = f"EXECUTE format('ALTER DATABASE %I SET {setting} = 64', current_database());"
        await everything.sql(f"DO $$ BEGIN {change} END $$")

    async with open_runtime(alone.settings) as short:
        exports = Exports(short, account_id)
        run = await submit_export(short, ExportRequest(account_id, "native", "things"))
        for seconds in engine.WAITS:
            await work_on(short, run.id, engine.work)
            waiting = await exports.get(run)
            assert (waiting.state, waiting.waiting_for, waiting.crashes) == ("running", "database", 0)
            ((waits,),) = [row.values() for row in await exports.sql(WAITS, id=run.id)]
            assert waits > seconds * 0.4
            await exports.sql("UPDATE runs SET due_at = now() WHERE id = :id", id=run.id)
        await work_on(short, run.id, engine.work)
        failed = await exports.get(run)
    assert (failed.state, failed.fail_code, failed.blob) == ("failed", "export_no_room", None)
    assert failed.fail_detail == (
        "PostgreSQL had no room for it at 5 tries: the statement reached a limit of its configuration, such as "
        "temp_file_limit"
    )
