"""What a run has changed, record by record, as it is noted: what each was before, and what the run has left."""

from collections.abc import Sequence
from typing import Final, Literal

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession
from app.storage.journal.successors import SUCCESSORS

PAGE_BYTES: Final = 4_194_304  # of a page; the record that goes beyond is its last

NotedPart = Literal["changed", "created"]
PIECES: Final[dict[NotedPart, str]] = {
    "changed": """
    SELECT * FROM (
        (SELECT id, 0 AS place, type, key, run_row AS row, outcome, before FROM changed_records
            WHERE run_id = :parent AND id > :after AND outcome = ANY(:outcomes) ORDER BY id LIMIT :limit)
        UNION ALL
        (SELECT b.id, made.place, b.type, made.key, made.row, b.outcome, made.before
            FROM (SELECT id, type, outcome, keys, rows, befores FROM changed_batches
                WHERE run_id = :parent AND id >= :after AND outcome = ANY(:outcomes) ORDER BY id) b
            CROSS JOIN LATERAL unnest(b.keys, b.rows, b.befores) WITH ORDINALITY AS made(key, row, before, place)
            WHERE b.id > :after OR made.place > :place ORDER BY b.id, made.place LIMIT :limit)) AS noted
    ORDER BY id, place LIMIT :limit""",
    "created": """
    SELECT c.id, made.place, c.type, made.key, made.row, 'created' AS outcome, CAST(NULL AS jsonb) AS before
    FROM (SELECT id, type, keys, rows FROM created_records
        WHERE run_id = :parent AND id >= :after ORDER BY id) c
    CROSS JOIN LATERAL unnest(c.keys, c.rows) WITH ORDINALITY AS made(key, row, place)
    WHERE (c.id > :after OR made.place > :place) AND 'created' = ANY(:outcomes)
    ORDER BY c.id, made.place LIMIT :limit""",
}
# Of several rows with one key the last that has changed the record is told, if no later run has left its own on it.
# What the run has left is what the next one has found there, or what is there now; but not if somebody of whom nothing
# is noted has written since.
LIST: Final = """
WITH piece AS MATERIALIZED ({piece}),{successors},
told AS (
    SELECT p.id, p.place, p.type, p.key, p.outcome, CAST(p.before AS text) AS before,
        coalesce(CASE
            WHEN next.id IS NULL AND r.run_id = :parent AND r.run_seq = s.run_seq THEN r.run_row
            WHEN next.before_run_id = :parent AND next.before_run_seq = s.run_seq THEN next.before_run_row
        END, p.row) AS row,
        CASE WHEN p.outcome <> 'removed' THEN CAST(CASE
            WHEN next.id IS NULL AND r.run_id = :parent THEN r.data
            WHEN next.before_run_id = :parent THEN next.before END AS text)
        END AS after
    FROM piece p FULL JOIN successors next ON next.of_id = p.id AND next.type = p.type AND next.key = p.key
    CROSS JOIN (SELECT seq AS run_seq FROM runs WHERE id = :parent) s
    LEFT JOIN LATERAL (
        SELECT data, run_id, run_row, run_seq FROM records
        WHERE account_id = :account_id AND type = p.type AND key = p.key OFFSET 0) r ON true),
counted AS (
    SELECT *, sum(coalesce(octet_length(before), 0) + coalesce(octet_length(after), 0)) OVER (ORDER BY id, place)
        - coalesce(octet_length(before), 0) - coalesce(octet_length(after), 0) AS bytes FROM told)
SELECT * FROM counted WHERE bytes < :bytes ORDER BY id, place"""


async def list_changes(
    session: ReadSession,
    account_id: int,
    run_id: str,
    part: NotedPart,
    *,
    after: tuple[int, int],
    limit: int,
    outcomes: Sequence[str],
) -> Sequence[RowMapping]:
    """Those after the pair (id, place), in the order in which they were made: id, place, type, key, row, outcome,
    before and after (JSON texts)."""
    given = {"account_id": account_id, "parent": run_id, "limit": limit, "bytes": PAGE_BYTES}
    given |= {"after": after[0], "place": after[1], "outcomes": list(outcomes)}
    statement = text(LIST.format(piece=PIECES[part], successors=SUCCESSORS.format(sought="piece")))
    return (await session.execute(statement, given)).mappings().all()
