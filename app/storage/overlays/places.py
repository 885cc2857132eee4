"""Where a merge writes: straight into the records, or into the overlay of a run that is applied later."""

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class MergePlace:
    """The phrases in which the places differ. In `values` and `source` are holes for what the batch decides."""

    table: str
    conflict: str  # what is done where there is a row with the same key; `{action}` says what becomes of it
    columns: str
    values: str
    source: str  # the staged rows `s` that may be written
    created: str  # of a written row: whether it is a new record, which has the `{moment}` that its row was given
    changed: str  # of a written row: whether it holds something new
    found: str  # what is stored under the key of the staged row `s`


# PostgreSQL gives system columns back neither from partitions nor from distributed tables, so what was written tells.
# A record that was changed has a later time of change; one that was only marked has another run or moment of creation,
# or an earlier row of this run.
CREATED = """created_at = updated_at AND created_at = {moment} AND run_id IS NOT DISTINCT FROM :run_id
        AND repeats_row IS NULL"""
COLUMNS = "account_id, type, key, data, created_at, updated_at, run_id, run_seq, run_row, name"

RECORDS: Final = MergePlace(
    table="records",
    conflict="ON CONFLICT (account_id, type, key) DO {action}",
    columns=COLUMNS,
    values=":account_id, :type, s.key, s.data, {created_at}, {created_at}, :run_id, :run_seq, s.row, {name}",
    source="staging s",
    created=CREATED,
    changed="run_id IS NOT DISTINCT FROM :run_id",
    found="records WHERE account_id = :account_id AND type = :type AND key = s.key",
)

# All rows are expected to be new, and a key that is there is an error. It takes less than where a conflict has to be
# expected (ADR 68).
NEW_RECORDS: Final = replace(RECORDS, conflict="", created="true", changed="true")

# Most rows are expected to change nothing. The record `b` of such a row is only looked at: a conflict would lock it,
# and locks are written to the table and to the WAL (ADR 74). OFFSET 0 makes the planner look up each row in the index.
SAME_RECORDS: Final = replace(
    RECORDS,
    source=f"""staging s LEFT JOIN LATERAL (SELECT data FROM {RECORDS.found} OFFSET 0) b ON true
    WHERE b.data IS NULL OR {{changes}}""",
)

# A row meets what the overlay holds under its key, else the record (`b`), and its fate is one of
#   new      there is neither (or the overlay has it: then the conflict's action decides)
#   changed  it changes the record, and what comes of that is written into the overlay
#   same     it changes nothing, and nothing is written unless it has to leave a mark
#   held     it may not change the record, which is copied, so that what is said of the row is said of what was seen
# OFFSET 0 makes the planner look up each staged row in the indexes.
STAGED = "staged_records WHERE account_id = :account_id AND staged_by = :run_id AND type = :type AND key = s.key"
ANY_STAGED: Final = f"SELECT EXISTS (SELECT FROM staging s CROSS JOIN LATERAL (SELECT FROM {STAGED} OFFSET 0) o)"
SOURCE = """staging s{overlaid}
    LEFT JOIN LATERAL (
        SELECT key, data, updated_at, run_id, run_seq, run_row FROM records
        WHERE {unstaged}account_id = :account_id AND type = :type AND key = s.key OFFSET 0) b ON true
    CROSS JOIN LATERAL (SELECT CASE WHEN b.key IS NULL THEN 'new' WHEN NOT ({mine}) THEN 'held'
        WHEN NOT ({changes}) THEN 'same' WHEN {fits} THEN 'changed' ELSE 'held' END AS fate OFFSET 0) f
    CROSS JOIN LATERAL (SELECT CASE f.fate WHEN 'new' THEN s.data WHEN 'changed' THEN {merged} ELSE b.data END AS data
        OFFSET 0) m
    WHERE {marked} OR f.fate <> 'same'"""
OVERLAID = f"""
    LEFT JOIN LATERAL (SELECT true AS there FROM {STAGED} OFFSET 0) o ON true"""

OVERLAY: Final = MergePlace(
    table="staged_records",
    conflict="ON CONFLICT (account_id, staged_by, type, key) DO {action}",
    columns=f"{COLUMNS}, staged_by, base_updated_at, incoming, rows",
    values=""":account_id, :type, s.key, m.data, {created_at}, {created_at},
        CASE WHEN f.fate IN ('new', 'changed') THEN :run_id ELSE b.run_id END,
        CASE f.fate WHEN 'held' THEN b.run_seq ELSE :run_seq END,
        CASE f.fate WHEN 'held' THEN b.run_row ELSE s.row END, {name},
        :run_id, b.updated_at, CASE WHEN {marked} THEN CASE f.fate WHEN 'held' THEN '{{}}' ELSE s.data END END,
        CASE WHEN f.fate IN ('new', 'changed') THEN s.earlier || s.row ELSE '{{}}' END""",
    source=SOURCE.replace("{overlaid}", OVERLAID).replace("{unstaged}", "o.there IS NULL AND "),
    created=f"{CREATED} AND base_updated_at IS NULL",
    changed="coalesce(rows[cardinality(rows)] = run_row, false)",
    found=STAGED,
)

# The overlay as far as it holds none of the keys, which is the usual case. Nobody else writes into it, so nothing can
# come in between. One row takes a third less than where a conflict has to be expected.
FRESH_OVERLAY: Final = replace(
    OVERLAY,
    conflict="",
    source=SOURCE.replace("{overlaid}", "").replace("{unstaged}", ""),
    created="base_updated_at IS NULL",
)


def plan_removal(overlay: MergePlace) -> MergePlace:
    """The overlay of a run whose rows name records to remove. It holds nothing of a record but its key, unless a row
    may not remove it. A row whose record is not there changes nothing; while an older run may still create that record,
    the row leaves its mark."""
    data = "CASE f.fate WHEN 'held' THEN b.data ELSE '{{}}' END"
    values = overlay.values.replace("m.data", data).replace("'new', 'changed'", "'changed'")
    marked = "CASE WHEN {marked} THEN CASE f.fate WHEN 'held' THEN '{{}}' ELSE s.data END END"
    assert marked in values  # noqa: S101  the phrase of OVERLAY
    return replace(
        overlay,
        values=values.replace(marked, "CASE f.fate WHEN 'held' THEN '{{}}' ELSE s.data END"),
        source=overlay.source.replace("THEN 'new' WHEN", "THEN 'same' WHEN"),
        created="false",
    )
