"""A worker or PostgreSQL is killed, or a worker frozen, at each step of an export: its file is whole or not there."""

import signal

import pytest

from app.exports.intake import ExportRequest, submit_export
from app.runs.model import Run
from tests.faults.arena import Arena, until
from tests.support.sweeps import few, few_or_all

pytestmark = pytest.mark.asyncio

ROWS = 6_000  # the file comes in several pieces
STEPS = ("SliceClaimed", "counting", "counted", "copying", "copied", "kept", "finished")
LINES = [f"person{number:05}@example.org,{'x' * 40},{number}" for number in range(1, ROWS + 1)]
FILL = """
INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_seq, run_row)
SELECT $1, 'contacts', email, jsonb_build_object('_email', email, '_name', repeat('x', 40), '_points', number),
    now(), now(), 1, number
FROM generate_series(1, $2) AS number, format('person%s@example.org', lpad(number::text, 5, '0')) AS email"""


async def started(arena: Arena) -> Run:
    """An export of records that are stored."""
    await arena.ask(FILL, arena.account_id, ROWS)
    return await submit_export(arena.runtime, ExportRequest(arena.account_id, "native", "contacts"))


async def assert_whole(arena: Arena, run: Run) -> dict[str, object]:
    """The run has finished with every record, and its file is the only one that an export has left."""
    row = await arena.ended(run)
    assert (row["state"], row["total"], row["at_row"]) == ("finished", ROWS, ROWS)
    with arena.runtime.blobs.open(row["blob"], row["blob_digests"]) as file:
        _, *lines = file.read().decode().splitlines()
    assert [",".join(filter(None, line.split(","))) for line in lines] == LINES

    async def none_left() -> bool:
        return not await arena.unowned_files()

    await until(none_left, "another file is left behind")
    return row


@pytest.mark.parametrize("step", few(STEPS, ("copying", "kept", "finished")))
async def test_a_worker_killed_at_a_step_of_an_export_leaves_a_whole_file_or_none(arena: Arena, step: str) -> None:
    run = await started(arena)
    first = arena.worker(f"{step}:1:kill")
    assert await first.ended() == -signal.SIGKILL
    assert (await arena.run(run))["blob"] is None or step == "finished"
    if step == "kept":  # what has a name and no owner goes with the sweep, a day later
        (orphan,) = await arena.unowned_files()
        orphan.unlink()
    arena.worker()
    await assert_whole(arena, run)


@pytest.mark.parametrize("step", ["copying", "kept"])
async def test_a_worker_frozen_while_it_exports_changes_nothing_when_it_thaws(arena: Arena, step: str) -> None:
    run = await started(arena)
    zombie = arena.worker(f"{step}:1:stop")
    await zombie.is_frozen()
    arena.worker()
    row = await arena.ended(run)
    zombie.thaw()
    assert await zombie.stopped() == 0
    assert await assert_whole(arena, run) == row


@pytest.mark.timeout(180)
# Not the last two: what is kept is told in one transaction, and when that is lost the file is an orphan.
@few_or_all(STEPS[:-2], ("counted", "copying"))
async def test_postgresql_is_killed_at_steps_of_an_export(arena: Arena, steps: tuple[str, ...]) -> None:
    run = await started(arena)
    # Whoever does not renew its lease because PostgreSQL is away may count as one that died.
    worker = arena.worker(",".join(f"{step}:1:wait" for step in steps), max_crashes=20)
    for number in range(1, len(steps) + 1):
        await worker.meets_fault(number)
        arena.servers.postgres.kill()
        worker.go_on()
        arena.servers.postgres.start()
    await assert_whole(arena, run)
    assert not [line for line in worker.trace() if line.startswith("SliceFailed")]  # it is no crash
    assert await worker.stopped() == 0


async def test_a_snapshot_that_a_frozen_worker_holds_is_ended(arena: Arena) -> None:
    """Its connection looks alive, and PostgreSQL waits for it to read: only another worker can see that it is late."""
    await started(arena)
    held = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sluice export'"
    zombie = arena.worker("copying:1:stop", idle_ms=600_000)
    await zombie.is_frozen()
    assert await arena.ask(held)  # one connection copies, and for a while another one counts
    arena.worker(export_seconds=0.5)

    async def is_ended() -> bool:
        return not await arena.ask(held)

    await until(is_ended, "the snapshot is still held")
    zombie.thaw()
    assert await zombie.stopped() == 0
