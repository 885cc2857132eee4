"""Who works on a run: claims with a lease and a fence, and the rescue of runs whose worker has died.

`attempt` is the fence. It rises whenever a run is claimed or rescued, and every write of a worker carries the number
that it was given, so a worker that was frozen past its lease cannot change anything when it thaws.
"""

from collections.abc import Sequence
from random import uniform

from sqlalchemy import RowMapping, text

from app.storage.access.accounts import SUSPENDED
from app.storage.database import PLAN_VERSION, ReadSession, Session, newest_migration
from app.storage.runs import OPEN

# Suspects, which are runs that may have killed their worker, are worked on one at a time. Side by side, each crash
# would count against all of them, and an innocent run could fail because of another one's file.
SUSPECT_AT_WORK = (
    f"EXISTS (SELECT FROM runs WHERE {OPEN} AND state = 'running' AND crashes > 0 AND lease_until > now())"
)

# An API of release 0.1 leaves the step empty, and a worker of that release stores a file without moving the step on. So
# the file of an import tells.
STEP = """CASE WHEN kind = 'import' AND blob IS NOT NULL AND coalesce(step, 'fetch') = 'fetch' THEN 'write'
    ELSE coalesce(step, 'fetch') END"""

# (kind, step) of the runs that this release can work on. What a newer release has accepted is left alone.
WORKABLE = (
    ("import", "fetch"),
    ("import", "write"),
    ("import", "apply"),
    ("export", "write"),
    ("export", "deliver"),
    ("sync", "fetch"),
    ("sync", "write"),
    ("sync", "apply"),
    ("sync", "afterwards"),
    ("sync", "images"),
    ("undo", "write"),
)
KNOWN = f"""plan_version <= {PLAN_VERSION}
    AND (kind, {STEP}) IN ({", ".join(f"('{kind}', '{step}')" for kind, step in WORKABLE)})"""

# Runs that nobody works on and that may be worked on now. Those of a suspended account wait.
CLAIMABLE = f"""{OPEN} AND state IN ('queued', 'running') AND lease_until IS NULL AND due_at <= now()
    AND {KNOWN} AND account_id <> ALL({SUSPENDED})
    AND (crashes = 0 OR NOT {SUSPECT_AT_WORK})"""

# Two workers that each claim a suspect would not see the other's claim before it commits, so the second one waits.
# (A run that becomes a suspect after this look is left to the next time that it is enqueued.)
QUEUE_SUSPECTS = "SELECT pg_advisory_xact_lock(hashtext('sluice: suspects')) FROM runs WHERE id = :id AND crashes > 0"

# statement_timestamp(), because now() is when the transaction began, and it may have waited since: in a statement of
# its own, QUEUE_SUSPECTS. (clock_timestamp() is volatile, which a database of several machines does not take.) The
# trigger of 0006, `newer_plans`, wants to know which plans the claimer knows: the row is looked at, and so this said,
# before it fires.
CLAIM = f"""
UPDATE runs SET state = 'running', step = {STEP}, attempt = attempt + 1, waiting_for = NULL,
    started_at = least(started_at, now()),
    heartbeat_at = statement_timestamp(), lease_until = statement_timestamp() + make_interval(secs => :lease)
WHERE id = :id AND {CLAIMABLE} AND (crashes = 0 OR :queued)
    AND NOT EXISTS (SELECT FROM schema_compat WHERE oldest > :schema)
    AND set_config('sluice.plan_version', '{PLAN_VERSION}', true) <> ''
RETURNING *"""

RENEW = """
UPDATE runs SET heartbeat_at = now(), lease_until = now() + make_interval(secs => :lease)
WHERE id = :id AND attempt = :attempt AND state = 'running' AND lease_until IS NOT NULL"""

# Ended by its own worker, or deleted after that, a run has not been taken from it.
OURS = "SELECT NOT EXISTS (SELECT FROM runs WHERE id = :id AND attempt <> :attempt)"

# Nothing that its worker still writes counts from here on: it has the attempt before. What it is about to commit is
# waited for.
REVOKE = """
UPDATE runs SET attempt = attempt + 1, lease_until = NULL WHERE id = :id AND state = ANY(:before) RETURNING *"""

RELEASE = """
UPDATE runs SET lease_until = NULL WHERE id = :id AND attempt = :attempt AND lease_until IS NOT NULL
RETURNING kind, step"""

FAULT = """
UPDATE runs SET lease_until = NULL, crashes = crashes + 1, attempt = attempt + 1,
    due_at = now() + make_interval(secs => :backoff * crashes * random()),
    interruptions = CASE WHEN jsonb_array_length(coalesce(interruptions, '[]')) < 20
        THEN coalesce(interruptions, '[]') || jsonb_build_object('at', now(), 'row', at_row, 'lost', {lost})
        ELSE interruptions END
WHERE {which} RETURNING id, account_id, step, crashes, attempt"""

# A worker that froze just before its commit still holds its run's row lock, and the rescue of other runs must not wait
# for it. (One that has only inserted its ledger row holds a key lock, which NO KEY UPDATE does not conflict with.)
SILENT = f"""id IN (
    SELECT id FROM runs WHERE {OPEN} AND state = 'running' AND lease_until < now() AND {KNOWN}
    FOR NO KEY UPDATE SKIP LOCKED)"""

POSTPONE = """
UPDATE runs SET lease_until = NULL, waiting_for = :waiting_for, fetches = fetches + CAST(:source_away AS int),
    due_at = now() + make_interval(secs => :seconds)
WHERE id = :id AND attempt = :attempt AND lease_until IS NOT NULL"""

# What has come to its end is a step forward, so crashes before it do not count any more.
NEXT_STEP = """
UPDATE runs SET step = :step, removed = :removed, crashes = 0
WHERE id = :id AND attempt = :attempt AND state = 'running' AND lease_until IS NOT NULL"""

# A run that is staged writes nothing before it is applied, and that ends it or brings its next step.
UNWRITTEN = """(CAST(:state AS text) <> 'finished' AND step IN ('write', 'apply')
    AND (kind = 'sync' OR options @> '{"staged": true}' OR options @> '{"replace": true}'))"""
WRITTEN = ", ".join(
    f"{name} = CASE WHEN {UNWRITTEN} THEN 0 ELSE {name} END" for name in ("created", "updated", "unchanged", "skipped")
)
# An export that ends without its file has no record in it.
IN_FILE = "CASE WHEN kind = 'export' AND blob IS NULL THEN 0 ELSE at_row END"

END = f"""
UPDATE runs SET state = :state, finished_at = now(), lease_until = NULL, held_at = NULL,
    fail_code = :code, fail_detail = :detail, secret = NULL,
    removed = CASE WHEN {UNWRITTEN} THEN 0 * removed ELSE removed END, {WRITTEN}, at_row = {IN_FILE},
    report = CASE WHEN {UNWRITTEN} THEN report - 'entities' ELSE report END
WHERE id = :id AND attempt = :attempt AND state = ANY(:before) RETURNING *"""

# What is written stays written, and the cursor stays where it is.
HOLD = """
UPDATE runs SET state = :state, held_at = now(), lease_until = NULL, waiting_for = NULL, crashes = 0,
    fail_code = :code, fail_detail = :detail
WHERE id = :id AND attempt = :attempt AND state = ANY(:before) RETURNING *"""

# The next thing that becomes of it is told again. A run that is held has the attempt with which it came to be so. Who
# made room has seen no brake: these stay on, unless limits are given. (What is staged is held to what it has shown.)
RESUME = """
UPDATE runs SET state = 'queued', held_at = NULL, due_at = now(), fail_code = NULL, fail_detail = NULL,
    notified_at = NULL, tell_at = NULL, options = options || CASE
        WHEN fail_code = 'record_quota' AND step = 'write' AND jsonb_strip_nulls(CAST(:options AS jsonb)) = '{}'
        THEN '{"resumed": true}' ELSE '{"released": true}' || CAST(:options AS jsonb) END
WHERE id = :id AND state = ANY(:before) AND attempt = coalesce(CAST(:attempt AS integer), attempt) RETURNING *"""

EXPIRED = f"""
SELECT id, attempt, state FROM runs WHERE {OPEN} AND held_at < now() - make_interval(hours => :hours)
ORDER BY held_at LIMIT :limit FOR UPDATE SKIP LOCKED"""

WAITING = f"SELECT EXISTS (SELECT FROM runs WHERE {CLAIMABLE})"

AT_WORK = f"SELECT EXISTS (SELECT FROM runs WHERE {OPEN} AND state = 'running' AND lease_until > now())"

UNKNOWN = f"SELECT count(*) FROM runs WHERE {OPEN} AND NOT ({KNOWN})"

# Among suspects, those whose file has to be fetched or written come last: that may take minutes, and nothing clears it
# earlier.
DUE = f"""
SELECT id, attempt, kind, {STEP} AS step FROM (
    SELECT id, attempt, kind, step, blob, crashes, row_number() OVER (
        PARTITION BY crashes > 0
        ORDER BY crashes > 0 AND (kind <> 'import' OR {STEP} = 'fetch'), due_at) AS place FROM runs
    WHERE {CLAIMABLE}) claimable
WHERE crashes = 0 AND place <= 1000 OR place = 1
ORDER BY place"""


async def claim(session: Session, run_id: str, *, lease: float) -> RowMapping | None:
    """Claims the run for `lease` seconds and returns it whole. None if it has ended, is not due, is claimed already, or
    is a suspect while another suspect is worked on. (A task outlives its worker, so the sweeper's order is not
    enough.) None, too, if the run or the schema by now is of a release that this code does not know."""
    queued = (await session.execute(text(QUEUE_SUSPECTS), {"id": run_id})).first() is not None
    taken = await session.execute(
        text(CLAIM), {"id": run_id, "lease": lease, "queued": queued, "schema": newest_migration()}
    )
    return taken.mappings().one_or_none()


async def renew(session: Session, run_id: str, attempt: int, *, lease: float) -> bool:
    """Renews the lease for `lease` seconds. False if the run is not ours any more."""
    done = await session.execute(text(RENEW), {"id": run_id, "attempt": attempt, "lease": lease})
    return done.rowcount == 1


async def is_ours(session: ReadSession, run_id: str, attempt: int) -> bool:
    """Whether nobody else has taken the run since it was claimed with this attempt."""
    return bool((await session.execute(text(OURS), {"id": run_id, "attempt": attempt})).scalar_one())


async def revoke(session: Session, run_id: str, *, before: Sequence[str]) -> RowMapping | None:
    """Takes a run from its worker, and returns it whole, with an attempt that nobody else has. None if it is
    in none of the states `before`."""
    given = {"id": run_id, "before": list(before)}
    return (await session.execute(text(REVOKE), given)).mappings().one_or_none()


async def release(session: Session, run_id: str, attempt: int) -> RowMapping | None:
    """Gives the run back, to be claimed by any worker at once, and returns its kind and step. None if it was not
    ours."""
    done = await session.execute(text(RELEASE), {"id": run_id, "attempt": attempt})
    return done.mappings().one_or_none()


async def postpone(
    session: Session, run_id: str, attempt: int, *, backoff: float, waiting_for: str, source_away: bool = False
) -> bool:
    """Gives the run back, to be claimed again after about `backoff` seconds, and notes what it waits for; with
    `source_away` that is counted. False if it was not ours any more."""
    values = {
        "id": run_id,
        "attempt": attempt,
        "seconds": backoff * uniform(0.5, 1.5),  # noqa: S311  no secret: those who wait should not come back together
        "waiting_for": waiting_for,
        "source_away": source_away,
    }
    done = await session.execute(text(POSTPONE), values)
    return done.rowcount == 1


async def fault(session: Session, run_id: str, attempt: int, *, backoff: float) -> RowMapping | None:
    """Gives the run back after its slice broke, and counts a crash. It waits for a random time, so that an innocent run
    is not caught in another one's crashes for ever. None if it was not ours any more."""
    mine = "id = :id AND attempt = :attempt AND state = 'running' AND lease_until IS NOT NULL"
    done = await session.execute(
        text(FAULT.format(which=mine, lost="false")), {"id": run_id, "attempt": attempt, "backoff": backoff}
    )
    return done.mappings().one_or_none()


async def rescue(session: Session, *, backoff: float) -> Sequence[RowMapping]:
    """Takes every run whose lease has expired from its dead or frozen worker, and counts a crash for each."""
    done = await session.execute(text(FAULT.format(which=SILENT, lost="true")), {"backoff": backoff})
    return done.mappings().all()


async def next_step(session: Session, run_id: str, attempt: int, step: str, *, removed: int | None) -> bool:
    """Brings the run to its next step, with the number of records that it will remove. False if it is not ours any
    more."""
    values = {"id": run_id, "attempt": attempt, "step": step, "removed": removed}
    return (await session.execute(text(NEXT_STEP), values)).rowcount == 1


async def end(
    session: Session,
    run_id: str,
    attempt: int,
    state: str,
    *,
    before: Sequence[str],
    code: str | None,
    detail: str | None,
) -> RowMapping | None:
    """Ends the run and returns it whole; rows not yet processed stay `remaining`. None if it is not ours any more, or
    in none of the states `before`."""
    values = {"id": run_id, "attempt": attempt, "state": state, "code": code, "detail": detail, "before": list(before)}
    return (await session.execute(text(END), values)).mappings().one_or_none()


async def hold(
    session: Session,
    run_id: str,
    attempt: int,
    state: str,
    *,
    before: Sequence[str],
    code: str | None,
    detail: str | None,
) -> RowMapping | None:
    """Lets the run wait until somebody resumes or cancels it, and returns it whole. None if it is not ours any more, or
    in none of the states `before`."""
    values = {"id": run_id, "attempt": attempt, "state": state, "code": code, "detail": detail, "before": list(before)}
    return (await session.execute(text(HOLD), values)).mappings().one_or_none()


async def resume(
    session: Session, run_id: str, *, before: Sequence[str], attempt: int | None = None, options: str = "{}"
) -> RowMapping | None:
    """Puts a run that is held back into the queue, with its brakes off and `options` (a JSON object) among its own, and
    returns it whole. One that had no room keeps its brakes if there are no `options`. None if it is in none of the
    states `before`, or held with another `attempt`."""
    given = {"id": run_id, "before": list(before), "attempt": attempt, "options": options}
    return (await session.execute(text(RESUME), given)).mappings().one_or_none()


async def find_expired(session: Session, *, hours: int, limit: int = 100) -> Sequence[RowMapping]:
    """Runs (id, attempt, state) that have been held for so long, locked."""
    return (await session.execute(text(EXPIRED), {"hours": hours, "limit": limit})).mappings().all()


async def due(session: Session) -> Sequence[RowMapping]:
    """Runs (id, attempt, kind, step) that can be worked on now, in the order in which they should be."""
    return (await session.execute(text(DUE))).mappings().all()


async def count_unknown(session: ReadSession) -> int:
    """How many open runs of newer releases this code leaves alone."""
    return int((await session.execute(text(UNKNOWN))).scalar_one())


async def anyone_waits(session: ReadSession) -> bool:
    """Whether any run can be worked on and nobody works on it."""
    return bool((await session.execute(text(WAITING))).scalar_one())


async def anyone_works(session: ReadSession) -> bool:
    """Whether a worker has any run at the moment."""
    return bool((await session.execute(text(AT_WORK))).scalar_one())
