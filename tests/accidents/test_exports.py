"""Exports while the machine is in trouble: they wait, leave nothing behind, and go on."""

import resource
from dataclasses import replace
from pathlib import Path

from app.exports import engine
from app.exports.intake import ExportRequest, submit_export
from app.runs.lifecycle import work_on
from app.runs.model import AccountId
from app.runtime import Runtime
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
