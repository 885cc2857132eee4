"""Undoes runs of an account as its workers would, and reads its records as somebody sees them."""

from typing import Any

from app.runs.lifecycle import work_on
from app.runs.model import Run, RunId
from app.undo.intake import submit_undo
from tests.engine.conftest import ImportEngine, law
from tests.support.item_syncs import SyncEngine
from workers.engines import ENGINES


async def undo(engine: ImportEngine | SyncEngine, run: Run) -> Run:
    """The undo of the run, which has ended, and whose counts add up."""
    accepted = await submit_undo(engine.runtime, engine.runtime.database.transaction(), run, sender=None)
    await work_on(engine.runtime, RunId(accepted.id), ENGINES[accepted.kind])
    done = await engine.get(accepted)
    law(done)
    return done


async def dump(engine: ImportEngine | SyncEngine) -> list[tuple[Any, ...]]:
    """All that somebody sees of the records, as PostgreSQL writes it."""
    found = await engine.sql(
        "SELECT type, key, data::text, created_at::text, name FROM records WHERE account_id = :account "
        "ORDER BY type, key",
        account=engine.account_id,
    )
    return [tuple(row.values()) for row in found]
