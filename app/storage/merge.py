"""Writes a batch of records that is staged: one set-based merge into `records` or a run's overlay.

The merge statement is put together from phrases, one for each question that imports answer differently (traps 7, 8)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import IntegrityError

from app.storage.database import Session
from app.storage.overlays.places import (
    ANY_STAGED,
    FRESH_OVERLAY,
    NEW_RECORDS,
    OVERLAY,
    RECORDS,
    SAME_RECORDS,
    MergePlace,
    plan_removal,
)
from app.storage.overlays.view import use_indexes

EPOCH = datetime.fromtimestamp(0, UTC)
Mode = Literal["overwrite", "fill", "keep", "replace", "remove"]
Expected = Literal["new", "same", ""]  # that no key is there; that most rows change nothing; nothing

# What an existing record becomes: {held} is what it holds, {given} what a row gives it. Both are associative.
MERGED: dict[Mode, str] = {
    "overwrite": "({held} || {given})",
    "replace": "{given}",  # of a single write
    "remove": "{held}",
    # Writes only fields that are absent, null or '' in the record.
    "fill": "({held} || {given} || (SELECT coalesce(jsonb_object_agg(e.k, e.v), '{{}}') "
    "FROM jsonb_each({held}) AS e(k, v) WHERE e.v NOT IN ('null', '\"\"')))",
}

# Which rows created or updated records is told only where that is not the same for all of them.
INSERT = """
WITH merged AS (
    INSERT INTO {place.table} AS r ({place.columns})
    SELECT {values}
    FROM {source}
    {conflict}
    RETURNING {created} AS created, {place.changed} AS changed, run_seq, run_row, repeats_row
)
SELECT count(*) FILTER (WHERE created) AS created,
    count(*) FILTER (WHERE NOT created AND changed) AS updated,
    count(*) FILTER (WHERE NOT changed AND run_seq = :run_seq) AS touched,
    array_agg(ARRAY[repeats_row, run_row]) FILTER (WHERE repeats_row IS NOT NULL AND changed) AS repeats,
    CASE WHEN count(*) FILTER (WHERE created) NOT IN (0, :staged)
        THEN (SELECT array_agg(run_row) FROM merged WHERE created) END AS created_rows,
    CASE WHEN count(*) FILTER (WHERE NOT created AND changed) NOT IN (0, :staged)
        THEN (SELECT array_agg(run_row) FROM merged WHERE NOT created AND changed) END AS updated_rows,
    coalesce(current_setting('sluice.too_large', true) = 'yes', false) AS any_too_large
FROM merged"""

# No two records of one import are created at the same microsecond, and their order is that of the file, so lists can
# page through them by time alone.
CREATED_AT = "CAST(:created_at AS timestamptz) + ({row} - :first_row) * interval '1 microsecond'"

# As distinct as the times of creation, and always later than the previous change: a client that follows the changes
# misses none. In a record that was never changed both times are equal. A time without a zone, because Citus wants what
# it sets to be immutable.
CHANGED_AT = """greatest(excluded.updated_at,
        (r.updated_at AT TIME ZONE 'UTC' + interval '1 microsecond') AT TIME ZONE 'UTC')"""

# The text by which records of some types are found besides their key, as `app.storage.records.index_name` writes it.
NAME = """(SELECT CASE WHEN length(n) <= 200 THEN n ELSE left(n, 168) || md5(n) END
        FROM (SELECT btrim({data} ->> '{field}', E' \\t\\r\\n')) AS named(n))"""

UPDATE = """UPDATE SET data = {merged}{named}, updated_at = {changed_at},
        run_id = excluded.run_id, run_seq = excluded.run_seq, run_row = excluded.run_row,
        repeats_row = CASE WHEN r.run_seq = excluded.run_seq THEN r.run_row END
    WHERE {mine} AND {changes} AND {fits}"""

# With `touch`, a row that changes nothing still leaves its number on the record.
UPDATE_AND_TOUCH = """UPDATE SET data = {merged}{named},
        updated_at = CASE WHEN {changes} THEN {changed_at} ELSE r.updated_at END,
        run_id = CASE WHEN {changes} THEN excluded.run_id ELSE r.run_id END,
        run_seq = excluded.run_seq, run_row = excluded.run_row,
        repeats_row = CASE WHEN r.run_seq = excluded.run_seq THEN r.run_row END{collected}
    WHERE {mine} AND (r.run_seq < excluded.run_seq OR {changes}{more}) AND {fits}"""

# An overlay also collects which rows change something and, while an older import may still change the record, what all
# of them give it.
INCOMING = {mode: phrase.format(held="r.incoming", given="excluded.data") for mode, phrase in MERGED.items()}
COLLECTED = """, incoming = {incoming},
        rows = CASE WHEN {changes}{several} THEN r.rows || excluded.rows ELSE r.rows END"""
# Several rows that are merged as one have changed the record, if only for each other.
SEVERAL = " OR cardinality(excluded.rows) > 1"

# Leaves an existing record as it is, but marks that its key was seen.
KEEP_AND_TOUCH = """UPDATE SET run_seq = excluded.run_seq, run_row = excluded.run_row, repeats_row = NULL
    WHERE r.run_seq < excluded.run_seq"""

# Whether a record stays within its bytes as JSON text. What is stored in few bytes, and is not compressed, is small as
# text as well: the worst is a number such as 1e1000, which takes 12 bytes and becomes 1,001 digits. So most records are
# not written out to be measured. A record that does not fit is not changed, and leaves a note for the statement's end.
SMALL = """(pg_column_size({held}) + pg_column_size({given}) < :small_bytes
            AND coalesce(pg_column_compression({held}), pg_column_compression({given})) IS NULL)"""
TEXT_GROWTH = 256  # times, at most
FITS = f"""({SMALL} OR octet_length(CAST({{merged}} AS text)) <= :record_bytes
            OR ({{unchanged}}) OR set_config('sluice.too_large', 'yes', true) IS NULL)"""


@dataclass(frozen=True, slots=True)
class MergeTarget:
    """Which records a batch is merged into, for whom and how."""

    account_id: int
    type: str
    run_id: str | None  # None: the records are written by themselves, and not by a run
    run_seq: int
    mode: Mode
    unique_keys: bool = False  # each key is written once per file; later rows with it are left alone
    fixed: str | None = None  # a field that must not change; a row without it leaves it as it is
    marks_several: bool = False  # several rows that are merged as one have changed their record, if only for each other
    created_at: datetime = EPOCH  # of the record of `first_row`; that of each later row is a microsecond later
    first_row: int = 0
    flat: bool = False  # no record of the batch holds a list or an object
    named_by: str = ""  # the field whose text records of the type are named by
    record_bytes: int | None = None  # how large an existing record may become, as JSON text; None: it is not measured
    expects: Expected = ""  # of the rows; only how long it takes depends on it
    staged: bool = False  # into the run's overlay, and not into the records
    names_keys: bool = False  # remember which keys the rows name, because the other records will be removed
    noted: bool = True  # what is changed is noted in the journal
    within: str | None = None  # JSON of an object: of the type, a replacement concerns only the records that hold it

    @property
    def removes(self) -> bool:
        """Whether rows only name the records to remove, in an overlay."""
        return self.mode == "remove"

    @property
    def place(self) -> MergePlace:
        return OVERLAY if self.staged else RECORDS

    @property
    def overlay(self) -> str | None:
        """The run whose overlay lies over the records that the rows meet."""
        return self.run_id if self.staged else None

    def parameters(self) -> dict[str, object]:
        return {"account_id": self.account_id, "type": self.type, "run_id": self.run_id, "run_seq": self.run_seq}

    def size_parameters(self) -> dict[str, object]:
        if self.record_bytes is None or self.mode in ("keep", "remove"):
            return {}
        return {"record_bytes": self.record_bytes, "small_bytes": self.record_bytes // TEXT_GROWTH}


@dataclass(frozen=True, slots=True)
class Merged:
    """How many staged rows created, changed or only touched a record; (earlier row, later row) of repeated keys; the
    rows that created records, and those that changed some; and whether any row was left alone because its record would
    be too large."""

    created: int
    updated: int
    touched: int
    repeats: Sequence[tuple[int, int]]
    created_rows: Sequence[int]
    updated_rows: Sequence[int]
    any_too_large: bool


async def merge(session: Session, target: MergeTarget, rows: Sequence[int], *, touch: bool) -> Merged:
    """Merges the staged rows, whose numbers are `rows` and whose keys all differ, into the records. Rows that it leaves
    alone are in none of the counts."""
    parameters = target.parameters() | target.size_parameters() | {"staged": len(rows)}
    parameters |= {"created_at": target.created_at, "first_row": target.first_row}
    fresh = target.staged and not (await session.execute(text(ANY_STAGED), target.parameters())).scalar_one()
    row = await merge_new(session, target, parameters) if target.expects == "new" else None
    if row is None:
        place = FRESH_OVERLAY if fresh else target.place
        if target.expects == "same" and not touch and target.mode != "keep":
            await use_indexes(session)
            place = SAME_RECORDS
        statement = build_statement(target, plan_removal(place) if target.removes else place, touch=touch)
        row = (await session.execute(text(statement), parameters)).mappings().one()
    repeats = [(earlier, later) for earlier, later in row["repeats"] or ()]
    created_rows = rows if row["created"] == len(rows) else row["created_rows"] or ()
    updated_rows = rows if row["updated"] == len(rows) else row["updated_rows"] or ()
    return Merged(
        row["created"], row["updated"], row["touched"], repeats, created_rows, updated_rows, row["any_too_large"]
    )


async def merge_new(session: Session, target: MergeTarget, parameters: Mapping[str, object]) -> RowMapping | None:
    """None, and nothing is written, if any of the keys is there."""
    try:
        async with session.begin_nested():
            statement = build_statement(target, NEW_RECORDS, touch=False)
            return (await session.execute(text(statement), parameters)).mappings().one()
    except IntegrityError:
        return None


def build_statement(target: MergeTarget, place: MergePlace, *, touch: bool) -> str:
    data = "m.data" if target.staged else "s.data"
    name = NAME.format(data=data, field=target.named_by) if target.named_by and not target.removes else "NULL"
    met = compare(target, held="b", given="s", number=":run_seq", touch=False)
    return INSERT.format(
        place=place,
        created=place.created.format(moment=CREATED_AT.format(row="run_row")),
        values=place.values.format(created_at=CREATED_AT.format(row="s.row"), name=name, marked=str(touch).lower()),
        source=place.source.format(marked=str(touch).lower(), **met),
        conflict=place.conflict.format(action=build_action(target, touch=touch or target.staged)),
    )


def compare(target: MergeTarget, *, held: str, given: str, number: str, touch: bool) -> dict[str, str]:
    """How a row (`given`, of the run with the `number`) meets a record (`held`): whether the record is for the run to
    change, what it becomes, whether that `changes` it, and whether it fits into its bytes."""
    aliases = {"held": f"{held}.data", "given": f"{given}.data"}
    mine = f"{held}.run_seq {'<' if target.unique_keys else '<='} {number}"
    if target.mode == "keep":
        return {"mine": mine, "merged": aliases["held"], "changes": "false", "fits": "true"}
    if target.fixed is not None:
        # The field's name comes from a resource's declaration in our own code, never from a request.
        fixed = f"{aliases['held']} ->> '{target.fixed}'"
        mine += f" AND {fixed} IS NOT DISTINCT FROM coalesce({aliases['given']} ->> '{target.fixed}', {fixed})"
    if target.removes:
        return {"mine": mine, "merged": aliases["held"], "changes": "true", "fits": "true"}
    merged = MERGED[target.mode].format(**aliases)
    # For scalar values containment is equality, and costs a sixth of comparing whole records (0.4 against 2.5 µs).
    flat = target.flat and target.mode == "overwrite"
    changes = f"NOT {held}.data @> {given}.data" if flat else f"{merged} IS DISTINCT FROM {held}.data"
    unchanged = f"NOT ({changes})" if touch else "false"
    measured = target.record_bytes is not None
    fits = FITS.format(merged=merged, unchanged=unchanged, **aliases) if measured else "true"
    return {"mine": mine, "merged": merged, "changes": changes, "fits": fits}


def build_action(target: MergeTarget, *, touch: bool) -> str:
    """What becomes of a record that is there already."""
    if target.removes:
        return "NOTHING"
    if target.mode == "keep":
        return KEEP_AND_TOUCH if target.unique_keys else "NOTHING"
    met = compare(target, held="r", given="excluded", number="excluded.run_seq", touch=touch)
    named = f", name = {NAME.format(data=met['merged'], field=target.named_by)}" if target.named_by else ""
    incoming = INCOMING[target.mode]
    several = SEVERAL if target.marks_several else ""
    collected = COLLECTED.format(incoming=incoming, several=several, **met) if target.staged else ""
    more = f" OR {incoming} IS DISTINCT FROM r.incoming{several}" if target.staged else ""
    return (UPDATE_AND_TOUCH if touch else UPDATE).format(
        named=named, changed_at=CHANGED_AT, collected=collected, more=more, **met
    )
