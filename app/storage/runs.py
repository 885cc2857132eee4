"""Runs as rows of a table: inserted, read, listed and deleted."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Text,
    any_,
    bindparam,
    func,
    insert,
    literal,
    literal_column,
    null,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.storage.access.accounts import SUSPENDED
from app.storage.database import PLAN_VERSION, ReadSession, Session
from app.storage.tables import runs

# A run is open until it has ended, whatever its state is called: CHECK ended_has_a_time ties the two together.
OPEN = "finished_at IS NULL"
UNFINISHED = ("queued", "running", "halted", "planned")  # states of open runs

# What polls and lists show of runs. A plan repeats the header, the mapping and the type's declaration, a megabyte at
# worst, and the digests of the file's blocks are 25 kB for 50 MB: only who reads the file needs them.
LEAN_PLAN = literal_column(
    "plan - ARRAY['declaration', 'header', 'columns', 'mapping', 'ignored', 'seen']", JSONB
).label("plan")
# The version of the row: app.storage.watching.versions.
VERSION = literal_column("runs.xmin::text", Text).label("version")
WHOLE = [*runs.c, VERSION]
LEAN = [
    *(column for column in runs.c if column.name not in ("plan", "blob_digests")),
    LEAN_PLAN,
    null().label("blob_digests"),
    VERSION,
]

LEAN_BY_ID = select(*LEAN).where(runs.c.id == any_(bindparam("ids", type_=ARRAY(Text))))

# What lists of runs of all kinds leave out: it may be a megabyte for each, and belongs to the single run.
WARNINGS = """CASE kind WHEN 'export' THEN warnings
    WHEN 'sync' THEN (SELECT coalesce(jsonb_agg(each - 'samples'), '[]') FROM jsonb_array_elements(warnings) AS w(each))
    ELSE '[]' END"""
LEFT_OUT = {
    "options": literal_column(
        "CASE kind WHEN 'export' THEN options - ARRAY['select', 'filter'] "
        "ELSE jsonb_strip_nulls(jsonb_build_object('undoable', options -> 'undoable')) END",
        JSONB,
    ),
    "plan": literal_column("'{}'", JSONB),
    "error_summary": literal_column("'[]'", JSONB),
    "warnings": literal_column(WARNINGS, JSONB),
    "report": literal_column("(report - 'files') #- '{images,refused}'", JSONB),
    **{name: null() for name in ("blob_digests", "secret")},
}
BRIEF = [*(LEFT_OUT[each.name].label(each.name) if each.name in LEFT_OUT else each for each in runs.c), VERSION]

# By what lists are filtered: columns of `runs`, and what CONDITIONS has.
Filter = Literal["state", "type", "name", "origin", "parent_id", "sync_id", "created_by", "connection_id", "text"]
CONDITIONS: Mapping[Filter, Callable[[str], ColumnElement[bool]]] = {
    # As the index `runs_of_connection` has it.
    "connection_id": lambda value: literal_column("runs.source ->> 'connection_id'", Text) == value,
    "text": lambda value: or_(
        *(column.icontains(value, autoescape=True) for column in (runs.c.name, runs.c.file_name))
    ),
}


async def open_count(session: ReadSession, account_id: int, kind: str) -> int:
    """How many runs of this kind are open in the account."""
    counted = await session.execute(
        text(f"SELECT count(*) FROM runs WHERE account_id = :account_id AND kind = :kind AND {OPEN}"),
        {"account_id": account_id, "kind": kind},
    )
    return int(counted.scalar_one())


async def add(session: Session, values: Mapping[str, Any]) -> RowMapping:
    """Stores a new run, queued and due now, and returns it whole. Call it while the account is locked: then runs are
    created in the order of their acceptance."""
    now = (await session.execute(text("SELECT clock_timestamp()"))).scalar_one()
    stored = await session.execute(
        insert(runs)
        .values(state="queued", plan_version=PLAN_VERSION, due_at=now, created_at=now, **values)
        .returning(*WHOLE)
    )
    return stored.mappings().one()


async def find_lean(session: ReadSession, run_ids: Collection[str]) -> Mapping[str, RowMapping]:
    """The runs of any account with these ids, as `get` has them unless they are to be whole, by id."""
    found = await session.execute(LEAN_BY_ID, {"ids": list(run_ids)})
    return {row["id"]: row for row in found.mappings()}


async def get(session: ReadSession, account_id: int, run_id: str, *, whole: bool = True) -> RowMapping | None:
    """The account's run with this id, of any kind, also if only its tombstone is left (`pruned_at`). Unless it is to be
    `whole`, its plan lacks what describes the columns."""
    columns = WHOLE if whole else LEAN
    found = await session.execute(select(*columns).where(runs.c.id == run_id, runs.c.account_id == account_id))
    return found.mappings().one_or_none()


async def find_account(session: ReadSession, run_id: str) -> int:
    """Whose run it is; 0 if there is none."""
    found = await session.execute(select(runs.c.account_id).where(runs.c.id == run_id))
    return found.scalar_one_or_none() or 0


async def is_kept(session: ReadSession, run_id: str) -> bool:
    """Whether the run is stored with its ledger: neither deleted nor pruned."""
    found = await session.execute(
        text("SELECT EXISTS (SELECT FROM runs WHERE id = :id AND pruned_at IS NULL)"), {"id": run_id}
    )
    return bool(found.scalar_one())


AHEAD = f"""
SELECT count(*) FROM runs WHERE account_id = :account_id AND kind = :kind AND {OPEN} AND state = 'queued'
    AND (created_at, id) <= (:created_at, :id)"""


async def hold(session: Session, run_id: str) -> bool:
    """Whether the run is there. It cannot be deleted until the transaction ends, and work on it goes on."""
    found = await session.execute(text("SELECT id FROM runs WHERE id = :id FOR KEY SHARE"), {"id": run_id})
    return found.first() is not None


async def queue_position(session: ReadSession, account_id: int, kind: str, run_id: str, created_at: datetime) -> int:
    """The place of a queued run among the account's queued runs of its kind; the first is 1."""
    values = {"account_id": account_id, "kind": kind, "id": run_id, "created_at": created_at}
    return int((await session.execute(text(AHEAD), values)).scalar_one())


async def list_by_origin(
    session: ReadSession,
    account_id: int,
    origins: Sequence[str],
    *,
    since: datetime | None = None,
    before: datetime | None = None,
    offset: int = 0,
    limit: int,
) -> Sequence[RowMapping]:
    """The account's runs of these origins, accepted since one moment and before another, newest first, without those
    that were pruned. Their plans lack what describes the columns."""
    kept = select(*LEAN).where(runs.c.account_id == account_id, runs.c.pruned_at.is_(None), runs.c.origin.in_(origins))
    if since is not None:
        kept = kept.where(runs.c.created_at >= since)
    if before is not None:
        kept = kept.where(runs.c.created_at < before)
    found = await session.execute(kept.order_by(runs.c.seq.desc()).offset(offset).limit(limit))
    return found.mappings().all()


async def list_imports(
    session: ReadSession, account_id: int, *, states: Sequence[str] | None, type: str | None, offset: int, limit: int
) -> Sequence[RowMapping]:
    """The account's imports, newest first, without those that were pruned. Their plans lack what describes the
    columns."""
    kept = select(*LEAN).where(runs.c.account_id == account_id, runs.c.kind == "import", runs.c.pruned_at.is_(None))
    if states is not None:
        kept = kept.where(runs.c.state.in_(states))
    if type is not None:
        kept = kept.where(runs.c.type == type)
    found = await session.execute(kept.order_by(runs.c.seq.desc()).offset(offset).limit(limit))
    return found.mappings().all()


async def list_accepted(
    session: ReadSession,
    account_id: int,
    kinds: Sequence[str],
    filters: Mapping[Filter, str],
    *,
    since: datetime | None = None,
    before: datetime | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """The account's runs of these kinds that meet these filters, accepted since one moment and before another,
    newest first, without those that were pruned and without what LEFT_OUT names. `after` is the moment and the id of
    the last run that was seen."""
    kept = select_ids(account_id, kinds, filters)
    if filters.get("state") in UNFINISHED:  # for the index of open runs, which are few
        kept = kept.where(text(OPEN))
    if since is not None:
        kept = kept.where(runs.c.created_at >= since)
    if before is not None:
        kept = kept.where(runs.c.created_at < before)
    if after is not None:
        kept = kept.where(tuple_(runs.c.created_at, runs.c.id) < tuple_(*map(literal, after)))
    newest = (runs.c.created_at.desc(), runs.c.id.desc())
    # The index `runs_shown` finds the ids without a look at the table, whose rows are wide.
    page = kept.order_by(*newest).limit(limit).scalar_subquery()
    found = await session.execute(select(*BRIEF).where(runs.c.id.in_(page)).order_by(*newest))
    return found.mappings().all()


async def count_newer(
    session: ReadSession,
    account_id: int,
    kinds: Sequence[str],
    filters: Mapping[Filter, str],
    *,
    seen: tuple[datetime, str],
    limit: int,
) -> int:
    """How many of the same runs are newer than one that was seen, counted up to `limit`."""
    newer = select_ids(account_id, kinds, filters).where(
        tuple_(runs.c.created_at, runs.c.id) > tuple_(*map(literal, seen))
    )
    counted = await session.execute(select(func.count()).select_from(newer.limit(limit).subquery()))
    return int(counted.scalar_one())


def select_ids(account_id: int, kinds: Sequence[str], filters: Mapping[Filter, str]) -> Select[tuple[str]]:
    """The account's runs of these kinds that meet these filters, without those that were pruned."""
    kept = select(runs.c.id).where(runs.c.account_id == account_id, runs.c.pruned_at.is_(None), runs.c.kind.in_(kinds))
    return kept.where(*(meet_filter(name, value) for name, value in filters.items()))


def meet_filter(name: Filter, value: str) -> ColumnElement[bool]:
    condition = CONDITIONS.get(name)
    return runs.c[name] == value if condition is None else condition(value)


async def delete_ended(session: Session, account_id: int, run_id: str) -> RowMapping | None:
    """Deletes an ended run with its batches, and returns its `blob`. None if it has not ended."""
    deleted = await session.execute(
        text(f"DELETE FROM runs WHERE id = :id AND account_id = :account_id AND NOT ({OPEN}) RETURNING blob"),
        {"id": run_id, "account_id": account_id},
    )
    return deleted.mappings().one_or_none()


FIGURES = f"""
SELECT state, count(*) AS runs,
    coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE active)), 0) AS oldest,
    coalesce(sum(total - created - updated - unchanged - skipped - failed) FILTER (WHERE active), 0) AS rows
FROM (SELECT *, account_id <> ALL({SUSPENDED}) AS active FROM runs WHERE {OPEN}) open_runs GROUP BY state"""


async def figures(session: ReadSession) -> Sequence[RowMapping]:
    """For the metrics: by state the number of open runs, and of accounts that are not suspended the age of the oldest
    in seconds and the rows that have no outcome yet.

    Open runs are few and have an index of their own; those that have ended may be millions, and each process counts the
    ends."""
    return (await session.execute(text(FIGURES))).mappings().all()


STORE_FETCHED_BYTES = """
UPDATE runs SET fetched_bytes = :bytes WHERE id = :id AND attempt = :attempt AND state = 'running' AND step = 'fetch'"""


async def store_fetched_bytes(session: Session, run_id: str, attempt: int, size: int) -> bool:
    """Stores how much of a run's file has arrived. False when the run is not this worker's any more."""
    done = await session.execute(text(STORE_FETCHED_BYTES), {"id": run_id, "attempt": attempt, "bytes": size})
    return done.rowcount == 1


async def store_fetched_file(session: Session, run_id: str, attempt: int, values: Mapping[str, Any]) -> bool:
    """Gives a run its file, drops its credentials and lets its rows be written. False when the run is not this worker's
    any more."""
    mine = (runs.c.id == run_id, runs.c.attempt == attempt, runs.c.state == "running", runs.c.step == "fetch")
    settled = {"step": "write", "plan_version": PLAN_VERSION, "secret": None, "crashes": 0}
    done = await session.execute(update(runs).where(*mine).values(**settled, **values))
    return done.rowcount == 1
