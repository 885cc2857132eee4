"""What the next one to change a record has found there: so it is known what a run had left."""

from typing import Final

# For each row of `piece` (id, type, key), of whatever changed its record next after it: id, before, before_run_id,
# before_run_row and before_run_seq. Of what is noted for many records at once only what follows on the run :parent is
# looked at, because nothing else is asked for; and only where keys may be the same. {sought} is `piece` or some of it.
# The planner takes ten records for a batch and then two loops, one within the other. A FULL JOIN can only be hashed.
SUCCESSORS: Final = """
followed AS MATERIALIZED (
    SELECT b.type, made.key, b.id, made.before, b.before_run_id, made.row AS before_run_row, made.seq AS before_run_seq
    FROM (
        SELECT * FROM changed_batches WHERE before_run_id = :parent AND id > (SELECT min(id) FROM {sought} s)
            AND last_key >= (SELECT min(key) FROM {sought} s) AND first_key <= (SELECT max(key) FROM {sought} s)) b
    CROSS JOIN LATERAL unnest(b.keys, b.befores, b.before_rows, b.before_seqs) AS made(key, before, row, seq)
),
successors AS MATERIALIZED (
    SELECT DISTINCT ON (of_id, type, key) * FROM (
        SELECT f.of_id, f.type, f.key, f.id, f.before, f.before_run_id, f.before_run_row, f.before_run_seq
        FROM (SELECT f.*, s.id AS of_id FROM {sought} s FULL JOIN followed f ON f.type = s.type AND f.key = s.key
            OFFSET 0) f
        WHERE f.id > f.of_id
        UNION ALL
        SELECT s.id, s.type, s.key, c.* FROM {sought} s CROSS JOIN LATERAL (
            SELECT id, before, before_run_id, before_run_row, before_run_seq FROM changed_records
            WHERE account_id = :account_id AND type = s.type AND key = s.key AND id > s.id ORDER BY id LIMIT 1) c
    ) AS found ORDER BY of_id, type, key, id
)"""
