"""Takes back what a run has changed, piece after piece, in the caller's transaction; or counts what that would do."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import text

from app.storage.database import ReadSession, Session
from app.storage.journal.successors import SUCCESSORS
from app.storage.merge import CHANGED_AT

PIECE: Final = 10_000  # changes of a statement

COUNT: Final = """
SELECT (SELECT count(*) FROM changed_records WHERE run_id = :parent)
    + (SELECT coalesce(sum(changes), 0) FROM changed_batches WHERE run_id = :parent)
    + (SELECT coalesce(sum(cardinality(keys)), 0) FROM created_records WHERE run_id = :parent)"""

Part = Literal["created", "one by one", "in batches"]
# What was created goes first: a record that the run has changed, somebody has removed and the run has created anew is
# its own.
PIECES: Final[dict[Part, str]] = {
    "created": """
    SELECT c.id, c.type, made.key, made.row, 'created' AS outcome, CAST(NULL AS jsonb) AS before,
        CAST(NULL AS text) AS name, CAST(NULL AS timestamptz) AS created_at, CAST(NULL AS bigint) AS run_seq
    FROM (SELECT id, type, keys, rows FROM created_records
        WHERE run_id = :parent AND id > :after ORDER BY id LIMIT 1) c
    CROSS JOIN LATERAL unnest(c.keys, c.rows) AS made(key, row)""",
    "one by one": f"""
    SELECT id, type, key, run_row AS row, outcome, before, before_name AS name, before_created_at AS created_at,
        before_run_seq AS run_seq
    FROM changed_records WHERE run_id = :parent AND id > :after ORDER BY id LIMIT {PIECE}""",
    "in batches": f"""
    SELECT b.id, b.type, made.*, b.outcome
    FROM (SELECT *, sum(changes) OVER (ORDER BY id) - changes AS earlier FROM changed_batches
        WHERE run_id = :parent AND id > :after) b
    CROSS JOIN LATERAL unnest(b.keys, b.rows, b.befores, b.before_names, b.before_created_at, b.before_seqs)
        AS made(key, row, before, name, created_at, run_seq)
    WHERE b.earlier < {PIECE}""",
}

# A record is for the undo to take back if the run was the last to change it, or if it is again what the run has left:
# what the next one to change it has noted, provided that it came next, and nobody in between of whom nothing is noted.
# OFFSET 0 makes the planner look up each record in the index. The fates:
#   removed, restored, put_back    what the undo does
#   same                           nothing is left to do; also of a record that the run has changed twice, because a
#                                  later run that was undone came between: what was there the first time counts
#   changed, gone                  another writer has changed or removed it since, and it is left alone
JUDGED: Final = """
WITH piece AS MATERIALIZED ({piece}),
found AS MATERIALIZED (
    SELECT p.*, r.place, r.part, r.updated_at, r.data, r.run_id
    FROM piece p LEFT JOIN LATERAL (
        SELECT ctid AS place, tableoid AS part, data, run_id, updated_at FROM records
        WHERE account_id = :account_id AND type = p.type AND key = p.key OFFSET 0) r ON true
),
others AS MATERIALIZED (
    SELECT id, type, key FROM found WHERE place IS NOT NULL AND run_id IS DISTINCT FROM :parent),
{successors},
twice AS MATERIALIZED (
    SELECT type, key, min(id) AS first FROM piece GROUP BY type, key HAVING count(*) > 1),
judged AS MATERIALIZED (
    SELECT p.*, CASE
        WHEN p.id > t.first OR p.run_id = :run_id THEN 'same'
        WHEN p.outcome = 'created' THEN
            CASE WHEN p.place IS NULL THEN 'same' WHEN m.mine THEN 'removed' ELSE 'changed' END
        WHEN p.outcome = 'removed' THEN
            CASE WHEN p.place IS NULL THEN 'put_back' WHEN p.data = p.before THEN 'same' ELSE 'changed' END
        WHEN p.place IS NULL THEN 'gone' WHEN m.mine THEN 'restored' WHEN p.data = p.before THEN 'same'
        ELSE 'changed' END AS fate
    FROM found p FULL JOIN successors next ON next.of_id = p.id AND next.type = p.type AND next.key = p.key
    LEFT JOIN twice t ON t.type = p.type AND t.key = p.key
    CROSS JOIN LATERAL (
        SELECT coalesce(p.run_id = :parent OR next.before_run_id = :parent AND next.before = p.data, false) AS mine
        OFFSET 0) m
)"""
COUNTED: Final = """
SELECT coalesce(max(id), 0) AS upto, count(*) AS total,
    count(*) FILTER (WHERE fate = 'removed') AS removed, count(*) FILTER (WHERE fate = 'restored') AS restored,
    count(*) FILTER (WHERE fate = 'put_back') AS put_back, count(*) FILTER (WHERE fate = 'same') AS same,
    array_agg(ARRAY[type, key, CAST(row AS text), fate]) FILTER (WHERE fate IN ('changed', 'gone')) AS left_alone,
    {written} AS written
FROM judged"""

# A record gets back its place in the order of writes, too, unless a later import has left its mark on it: an import
# that is open still may have rows for it, whether it was accepted before or after the run that is undone.
RUN_SEQ: Final = """CASE WHEN r.run_seq > (SELECT seq FROM runs WHERE id = :parent) THEN r.run_seq
        ELSE coalesce(j.run_seq, r.run_seq) END"""

# A single write may come in between, so what must not have changed is asked once more.
STILL: Final = "r.ctid = j.place AND r.tableoid = j.part AND r.updated_at = j.updated_at"
UNDONE_AT: Final = CHANGED_AT.replace("excluded.updated_at", "CAST(:undone_at AS timestamptz)")
REMOVE: Final = f""",
written AS (
    DELETE FROM records r USING judged j WHERE {STILL} AND j.fate = 'removed' RETURNING 1)"""
BRING_BACK: Final = f""",
restored AS (
    UPDATE records r SET data = j.before, name = j.name, created_at = j.created_at, updated_at = {UNDONE_AT},
        run_id = :run_id, run_seq = {RUN_SEQ}, run_row = coalesce(j.row, 0), repeats_row = NULL
    FROM judged j WHERE {STILL} AND j.fate = 'restored' RETURNING 1),
put_back AS (
    INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_id, run_seq, run_row, name)
    SELECT :account_id, type, key, before, created_at, :undone_at, :run_id, coalesce(run_seq, :run_seq),
        coalesce(row, 0), name
    FROM judged WHERE fate = 'put_back' ORDER BY type, key
    ON CONFLICT DO NOTHING RETURNING 1),
written AS (SELECT FROM restored UNION ALL SELECT FROM put_back)"""
WRITE: Final[dict[Part, str]] = {"created": REMOVE, "one by one": BRING_BACK, "in batches": BRING_BACK}

# Without statistics of a young table the planner would go through all of it for each look-up.
BY_INDEX: Final = "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_mergejoin', 'off', true)"


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A record that another writer has changed since, or that is `gone`. `row`: of the run that is undone."""

    type: str
    key: str
    row: int | None
    gone: bool


@dataclass(frozen=True, slots=True)
class UndonePiece:
    """What came, or would come, of some changes of a run."""

    total: int
    removed: int
    restored: int
    put_back: int
    same: int
    left_alone: Sequence[LeftAlone]
    complete: bool  # everything was written that had to be; not so if somebody changed a record at that moment


@dataclass(frozen=True, slots=True)
class Undoing:
    """Whose changes are taken back, and by which run."""

    account_id: int
    parent: str
    run_id: str = ""
    run_seq: int = 0


async def count_changes(session: ReadSession, run_id: str) -> int:
    """How many changes of records are noted for a run."""
    return int((await session.execute(text(COUNT), {"parent": run_id})).scalar_one())


async def look_up_only(session: Session) -> None:
    """For the rest of the transaction: records are looked up by their keys."""
    await session.execute(text(BY_INDEX))


async def undo_pieces(session: Session, undoing: Undoing) -> AsyncIterator[UndonePiece]:
    """Takes back a piece at a time."""
    undone_at = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
    given = {"run_id": undoing.run_id, "run_seq": undoing.run_seq, "undone_at": undone_at}
    for part, write in WRITE.items():
        counted = judge(part) + write + COUNTED.format(written="(SELECT count(*) FROM written)")
        wanted = {name: value for name, value in given.items() if f":{name}" in counted}
        async for piece in go_through(session, undoing, counted, wanted):
            yield piece


async def judge_pieces(session: ReadSession, undoing: Undoing) -> AsyncIterator[UndonePiece]:
    """Tells for a piece at a time what would come of it, and writes nothing."""
    counted = COUNTED.format(written="0")
    for part in PIECES:
        async for each in go_through(session, undoing, judge(part) + counted, {"run_id": undoing.run_id}):
            yield each


def judge(part: Part) -> str:
    return JUDGED.format(piece=PIECES[part], successors=SUCCESSORS.format(sought="others"))


async def go_through(
    session: ReadSession, undoing: Undoing, statement: str, given: dict[str, object]
) -> AsyncIterator[UndonePiece]:
    after = 0
    while True:
        parameters = given | {"account_id": undoing.account_id, "parent": undoing.parent, "after": after}
        row = (await session.execute(text(statement), parameters)).mappings().one()
        if not row["total"]:
            return
        left = [
            LeftAlone(type_, key, None if number is None else int(number), fate == "gone")
            for type_, key, number, fate in row["left_alone"] or ()
        ]
        counts = {name: row[name] for name in ("total", "removed", "restored", "put_back", "same")}
        complete = row["written"] == row["removed"] + row["restored"] + row["put_back"]
        yield UndonePiece(**counts, left_alone=left, complete=complete)
        after = row["upto"]
