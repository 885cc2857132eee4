"""Whether an import may be believed: watched at every moment of its life, and compared with the truth at its end."""

import asyncio
import json
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from app.runs.model import Run
from tests.faults.arena import Arena
from tests.faults.truth import Truth

OUTCOMES = ("created", "updated", "unchanged", "skipped", "failed")

# One statement is one snapshot: nobody can commit between its parts.
MOMENT = """
SELECT r.*, (SELECT count(*) FROM records WHERE account_id = r.account_id) AS records,
    (SELECT count(*) FROM records WHERE account_id = r.account_id AND run_id = r.id) AS written, b.*
FROM runs r, LATERAL (
    SELECT count(*) AS ledger, coalesce(sum(created), 0) AS sum_created, coalesce(sum(updated), 0) AS sum_updated,
        coalesce(sum(unchanged), 0) AS sum_unchanged, coalesce(sum(skipped), 0) AS sum_skipped,
        coalesce(sum(failed), 0) AS sum_failed
    FROM batches WHERE run_id = r.id) b
WHERE r.id = $1"""


@dataclass(slots=True)
class Watch:
    """What a poller saw: how often it looked, how far the run was, and every moment at which something was untrue."""

    known_before: int
    staged: bool = False  # all of the run's records are to appear at once, with its end
    looks: int = 0
    processed: int = 0
    crashes: int = 0  # the most that were seen
    untrue: list[str] = field(default_factory=list)

    def look(self, moment: asyncpg.Record) -> None:
        self.looks += 1
        processed = sum(moment[name] for name in OUTCOMES)
        claims = {
            "processed never decreases": processed >= self.processed,
            # Of a file that is still being fetched nobody knows the rows, and none is counted.
            "no more rows than there are": processed <= (moment["total"] or 0),
            "counts are the ledger's sums": all(moment[name] == moment[f"sum_{name}"] for name in OUTCOMES),
            "as many batches as in the ledger": moment["batches"] == moment["ledger"],
            "every record created is counted": self.staged
            or moment["records"] == self.known_before + moment["created"],
            "nothing before the end": not self.staged
            or moment["state"] == "finished"
            or (moment["records"], moment["written"]) == (self.known_before, 0),
            "the cursor stands behind the rows counted": moment["at_row"] == processed,
            "finished means every row": moment["state"] != "finished" or processed == moment["total"],
        }
        self.processed, self.crashes = processed, max(self.crashes, moment["crashes"])
        self.untrue += [f"{claim}: {dict(moment)}" for claim, holds in claims.items() if not holds]


@asynccontextmanager
async def watched(arena: Arena, run: Run, truth: Truth, *, staged: bool = False) -> AsyncIterator[Watch]:
    """Looks at the run some hundred times a second while the block runs."""
    watch = Watch(truth.known_before, staged)
    looking = asyncio.create_task(look_on(arena, run, watch))
    try:
        yield watch
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    assert watch.looks > 3, "the poller saw nothing"
    assert not watch.untrue, watch.untrue[:3]


async def look_on(arena: Arena, run: Run, watch: Watch) -> None:
    while True:
        try:
            await look_through(await asyncpg.connect(arena.url, timeout=5), run, watch)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):  # PostgreSQL is down: that is the test
            await asyncio.sleep(0.02)


async def look_through(connection: "asyncpg.Connection[Any]", run: Run, watch: Watch) -> None:
    try:
        while True:
            watch.look(await connection.fetchrow(MOMENT, run.id))
            await asyncio.sleep(0.006)
    finally:
        connection.terminate()


async def assert_true(arena: Arena, run: Run, truth: Truth) -> dict[str, Any]:
    """The run is finished and everything it says and did is what the file holds: no row lost, none counted twice."""
    row = await arena.ended(run)
    assert (row["state"], row["fail_code"]) == ("finished", None), arena.told()
    counts = {name: row[name] for name in OUTCOMES}
    assert counts == {name: truth.counts[name] for name in OUTCOMES}
    assert row["total"] == truth.rows == sum(counts.values())
    assert await records(arena, run) == truth.records
    batches = await arena.ask("SELECT * FROM batches WHERE run_id = $1 ORDER BY number", run.id)
    assert [batch["number"] for batch in batches] == list(range(1, row["batches"] + 1))
    assert {name: sum(batch[name] for batch in batches) for name in OUTCOMES} == counts
    attempts = [batch["attempt"] for batch in batches]
    assert attempts == sorted(attempts), f"an attempt that was over wrote a batch: {attempts}"
    assert problems(batches) == sorted(truth.problems)
    summed = Counter({each["field"]: each["count"] for each in json.loads(row["error_summary"])})
    assert summed == Counter(field for _, field in truth.problems)
    return row


async def records(arena: Arena, run: Run) -> dict[str, dict[str, object]]:
    rows = await arena.ask("SELECT key, data FROM records WHERE account_id = $1", run.account_id)
    return {row["key"]: json.loads(row["data"]) for row in rows}


def problems(batches: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """(row, field) of every stored problem."""
    packed = [batch["problems"] for batch in batches if batch["problems"] is not None]
    return sorted((each["row"], each["field"]) for one in packed for each in json.loads(zlib.decompress(one)))
