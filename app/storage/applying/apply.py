"""Applies an overlay to the records: set-based, in the caller's transaction, one range of keys after the other.

Only a record that still is what it was when it was staged is written. Those that are not are merged once more from what
the rows give them, as rows of a direct import would be that came only now, and then written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from app.storage.database import ReadSession, Session
from app.storage.merge import CHANGED_AT, EPOCH, NAME, MergeTarget, compare

RANGE_KEYS: Final = 20_000  # of a statement: it must end long before the driver gives it up
AGAIN_KEYS: Final = 5_000  # records that have changed meanwhile, at a time

# Where both the overlay and the records are joined to be updated, rows are found by their place (`ctid`): else the
# planner may go through all records for each row (122 s for 100,000 new ones). Whether PostgreSQL looks at the place
# again if somebody changes the row meanwhile depends on its release, so what must not have changed is asked once more.
# Where `records` is partitioned, a place is one of a partition (`tableoid`).
MINE = "account_id = :account_id AND staged_by = :run_id AND type = :type"
RANGES = f"""
SELECT max(key) AS upto,
    count(*) FILTER (WHERE rows <> '{{}}' AND base_updated_at IS NULL) AS created,
    count(*) FILTER (WHERE rows <> '{{}}' AND base_updated_at IS NOT NULL) AS updated,
    count(*) FILTER (WHERE rows = '{{}}' AND run_seq = :run_seq) AS marked
FROM (SELECT key, rows, base_updated_at, run_seq, (row_number() OVER (ORDER BY key) - 1) / {RANGE_KEYS} AS part
    FROM staged_records WHERE {MINE}) AS staged
GROUP BY part ORDER BY part"""
IN_RANGE = "key > :after AND key <= :upto"
AMONG = "key = ANY(:keys)"

# The times of an overlay count from the epoch, a microsecond for each row.
SINCE = "CAST(:applied_at AS timestamptz) + ({moment} - CAST(:epoch AS timestamptz))"
LAST_ROW = "s.rows[cardinality(s.rows)]"

# A run that was accepted later has removed the record, or would have.
REMOVED_LATER = """EXISTS (SELECT FROM staged_records later WHERE later.account_id = :account_id
        AND later.staged_by = ANY(:removed_by) AND later.type = :type AND later.key = s.key)"""

INSERT = f"""
INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_id, run_seq, run_row, name)
SELECT account_id, type, key, data, {SINCE.format(moment="created_at")}, {SINCE.format(moment="updated_at")},
    run_id, run_seq, {LAST_ROW}, name
FROM staged_records s WHERE {MINE} AND {{which}} AND base_updated_at IS NULL AND rows <> '{{{{}}}}' AND NOT {{later}}
ORDER BY key
ON CONFLICT (account_id, type, key) DO NOTHING"""

CHANGED = CHANGED_AT.replace("excluded.updated_at", "s.applied_at")
UPDATE = f"""
UPDATE records r SET data = s.data, name = s.name, updated_at = {CHANGED},
    run_id = s.run_id, run_seq = s.run_seq, run_row = s.row, repeats_row = NULL
FROM (
    SELECT s.*, {LAST_ROW} AS row, found.place, found.part,
        CAST(:applied_at AS timestamptz) + {LAST_ROW} * interval '1 microsecond' AS applied_at
    FROM staged_records s CROSS JOIN LATERAL (
        SELECT ctid AS place, tableoid AS part FROM records
        WHERE account_id = :account_id AND type = :type AND key = s.key AND updated_at = s.base_updated_at
            AND run_seq <= :run_seq OFFSET 0) found
    WHERE {MINE} AND {{which}} AND base_updated_at IS NOT NULL AND rows <> '{{{{}}}}' ORDER BY key OFFSET 0) s
WHERE r.ctid = s.place AND r.tableoid = s.part AND r.updated_at = s.base_updated_at AND r.run_seq <= :run_seq"""

# A row that changes nothing leaves its number on the record all the same while an older import is open.
TOUCH = f"""
UPDATE records r SET run_seq = :run_seq, run_row = s.run_row, repeats_row = NULL
FROM (
    SELECT run_row, found.place, found.part FROM staged_records s CROSS JOIN LATERAL (
        SELECT ctid AS place, tableoid AS part FROM records
        WHERE account_id = :account_id AND type = :type AND key = s.key AND run_seq < :run_seq OFFSET 0) found
    WHERE {MINE} AND {IN_RANGE} AND rows = '{{}}' AND run_seq = :run_seq ORDER BY key OFFSET 0) s
WHERE r.ctid = s.place AND r.tableoid = s.part AND r.run_seq < :run_seq"""

# What has become of the rows whose record is no longer what it was, and is not written. `fate` says what they come to:
#   new, changed      they are written after all, to the record as it is now
#   same              they change nothing any more
#   superseded        a later import or a single write has written the record
#   deleted           the record was there, and is gone
#   held              they may not change the record as it is now
AGAIN = f"""
WITH stale AS (
    SELECT s.key, s.place, s.rows, s.run_row, s.base_updated_at IS NULL AS was_new, b.updated_at AS now_at,
        CASE f.fate WHEN 'changed' THEN {{merged}} END AS data, f.fate
    FROM (SELECT key, ctid AS place, incoming AS data, rows, run_row, base_updated_at FROM staged_records
        WHERE {MINE} AND run_seq = :run_seq AND key > :after ORDER BY key OFFSET 0) s
    LEFT JOIN LATERAL (
        SELECT key, data, updated_at, run_id, run_seq FROM records
        WHERE account_id = :account_id AND type = :type AND key = s.key OFFSET 0) b ON true
    CROSS JOIN LATERAL (SELECT CASE
        WHEN b.key IS NULL THEN CASE WHEN s.base_updated_at IS NOT NULL THEN '{{gone}}'
            WHEN {{later}} THEN 'superseded' ELSE '{{new}}' END
        WHEN b.run_seq > :run_seq THEN 'superseded' WHEN s.data IS NULL OR NOT ({{mine}}) THEN 'held'
        WHEN NOT ({{changes}}) THEN 'same'
        WHEN {{fits}} THEN 'changed' ELSE 'held' END AS fate OFFSET 0) f
    WHERE b.run_id IS DISTINCT FROM :run_id AND (
        b.updated_at IS DISTINCT FROM s.base_updated_at
        OR s.rows <> '{{{{}}}}' AND f.fate IN ('superseded'{{unwritten}}))
    ORDER BY s.key LIMIT {AGAIN_KEYS}
)
UPDATE staged_records o SET base_updated_at = stale.now_at, data = coalesce(stale.data, o.data){{named}},
    rows = CASE WHEN stale.fate NOT IN ('new', 'changed') THEN '{{{{}}}}' WHEN o.rows = '{{{{}}}}' THEN ARRAY[o.run_row]
        ELSE o.rows END
FROM stale
WHERE o.ctid = stale.place
RETURNING stale.key, stale.rows, stale.run_row AS row, stale.was_new, stale.fate"""


@dataclass(frozen=True, slots=True)
class Range:
    """The keys of an overlay `after` one and `upto` another: how many records they create and change, and how many of
    their rows change nothing."""

    after: str
    upto: str
    created: int
    updated: int
    marked: int

    @property
    def between(self) -> Mapping[str, str]:
        return {"after": self.after, "upto": self.upto}


@dataclass(frozen=True, slots=True)
class Again:
    """What has become of the rows of a record that was not what it was when it was staged: `rows` were to change it
    (or to create it, if it `was_new`), and if there is none `row` was to leave it as it is."""

    key: str
    rows: Sequence[int]
    row: int
    was_new: bool
    fate: str


async def list_ranges(session: ReadSession, target: MergeTarget) -> Sequence[Range]:
    """All of the overlay, in ranges for a statement each."""
    ranges: list[Range] = []
    for row in (await session.execute(text(RANGES), target.parameters())).mappings():
        ranges.append(Range(ranges[-1].upto if ranges else "", **row))
    return ranges


@dataclass(frozen=True, slots=True)
class Applying:
    """Whose overlay is applied, when, and whether it `creates` records: not if a later import has replaced them all.
    Those that the later imports in `removed_by` have named it does not create either."""

    session: Session
    target: MergeTarget
    applied_at: datetime
    creates: bool
    removed_by: Sequence[str] = ()

    @property
    def later(self) -> str:
        return REMOVED_LATER if self.removed_by else "false"

    async def write_range(self, planned: Range) -> int:
        """Writes the records of a range that are as they were when they were staged, and returns how many."""
        written = 0
        if planned.updated:
            written += await self._write(UPDATE, IN_RANGE, planned.between)
        if planned.created and self.creates:
            written += await self._write(INSERT, IN_RANGE, planned.between)
        return written

    async def write_keys(self, keys: Sequence[str]) -> None:
        """The same for single records."""
        await self._write(UPDATE, AMONG, {"keys": list(keys)})
        if self.creates:
            await self._write(INSERT, AMONG, {"keys": list(keys)})

    async def _write(self, statement: str, which: str, keys: Mapping[str, object]) -> int:
        given = {**self.target.parameters(), **keys, "applied_at": self.applied_at, "epoch": EPOCH}
        filled = statement.format(which=which, later=self.later)
        return (await self.session.execute(text(filled), given | self.list_later(filled))).rowcount

    def list_later(self, statement: str) -> dict[str, object]:
        """The parameter of REMOVED_LATER, where a statement has it."""
        return {"removed_by": list(self.removed_by)} if ":removed_by" in statement else {}

    async def merge_again(self, *, after: str, written: bool) -> Sequence[Again]:
        """Stages some of the records once more that have changed since, with greater keys than `after`; none when there
        are no more. `written`: all others are, and these are to be next."""
        target = self.target
        met = compare(target, held="b", given="s", number=":run_seq", touch=False)
        named = (
            f", name = {NAME.format(data='coalesce(stale.data, o.data)', field=target.named_by)}"
            if target.named_by and not target.removes
            else ""
        )
        new, unwritten = "new" if self.creates else "superseded", ", 'new'" if written else ""
        gone = "same" if target.removes else "deleted"
        statement = AGAIN.format(named=named, new=new, gone=gone, later=self.later, unwritten=unwritten, **met)
        given = target.parameters() | target.size_parameters() | {"after": after} | self.list_later(statement)
        return [Again(**row) for row in (await self.session.execute(text(statement), given)).mappings()]


async def touch_range(session: Session, target: MergeTarget, planned: Range) -> None:
    """Leaves the run's number on records of the range that its rows leave as they are."""
    await session.execute(text(TOUCH), {**target.parameters(), **planned.between})
