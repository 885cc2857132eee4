"""Which runs that have ended or are held still need a mail: an outbox that is read from committed rows and nothing
else."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from app.storage.database import Session

TOLD = "coalesce(finished_at, held_at)"  # the moment that the mail tells of
UNSENT = f"notify IS NOT NULL AND notified_at IS NULL AND {TOLD} IS NOT NULL"  # as the index `runs_untold`

# `tell_at` is lease and backoff in one. At first it is `lease` seconds ahead, and with every further try as far ahead
# as that moment is back, so that a mail whose worker dies needs no rescue. The times are added without a zone, which
# gives the same wherever it is done: a database of several machines takes nothing else from a column.
TELL_AT = f"""(now() AT TIME ZONE 'UTC' + least(greatest(now() - {TOLD}, make_interval(secs => :lease)),
    make_interval(secs => :longest))) AT TIME ZONE 'UTC'"""
TAKE = f"""
UPDATE runs SET tell_at = {TELL_AT}
FROM accounts
WHERE accounts.id = runs.account_id AND runs.id = (
    SELECT id FROM runs WHERE {UNSENT} AND coalesce(tell_at, {TOLD}) <= now()
    ORDER BY coalesce(tell_at, {TOLD}) LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING runs.*, accounts.name AS account_name,
    CASE WHEN accounts.mails_on = current_date THEN accounts.mails ELSE 0 END AS mails_today"""

# When the mail server is away, all mails that are due wait as long as after a first try: each would ask it once more.
PUT_OFF = f"""
UPDATE runs SET tell_at = now() + make_interval(secs => :seconds)
WHERE {UNSENT} AND coalesce(tell_at, {TOLD}) <= now()"""

SENT = "UPDATE runs SET notified_at = now() WHERE id = :id AND notified_at IS NULL"

# Days are those of UTC. Sent is sent, also if another worker has marked this mail already.
COUNT = """
UPDATE accounts SET mails = CASE WHEN mails_on = current_date THEN mails ELSE 0 END + 1, mails_on = current_date
WHERE id = :account_id"""

GIVE_UP = """
UPDATE runs SET notified_at = now(), warnings = warnings || :warning WHERE id = :id AND notified_at IS NULL"""

GIVE_UP_OLD = f"""
UPDATE runs SET notified_at = now(), warnings = warnings || :warning WHERE id IN (
    SELECT id FROM runs WHERE {UNSENT} AND {TOLD} < now() - make_interval(secs => :seconds)
        AND tell_at <= now()  -- sending was tried
    ORDER BY {TOLD} LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING id"""


async def take(session: Session, *, lease: float, longest: float) -> RowMapping | None:
    """A run (whole, with `account_name` and `mails_today`) whose mail is due, reserved for `lease` seconds; None if
    there is none. It comes back after a while that doubles up to `longest` seconds, unless `mark_sent` or `give_up` is
    called."""
    taken = await session.execute(text(TAKE), {"lease": lease, "longest": longest})
    return taken.mappings().one_or_none()


async def put_off(session: Session, *, seconds: float) -> None:
    """Lets every mail that is due wait for so long."""
    await session.execute(text(PUT_OFF), {"seconds": seconds})


async def mark_sent(session: Session, account_id: int, run_id: str) -> None:
    """Notes that the mail was sent, and counts it for the account."""
    await session.execute(text(COUNT), {"account_id": account_id})
    await session.execute(text(SENT), {"id": run_id})


async def give_up(session: Session, run_id: str, warning: Mapping[str, Any]) -> None:
    """Sends no mail for the run; it gets the warning (in the shape of `runs.warnings`) instead."""
    statement = text(GIVE_UP).bindparams(bindparam("warning", type_=JSONB))
    await session.execute(statement, {"id": run_id, "warning": [dict(warning)]})


async def give_up_old(session: Session, warning: Mapping[str, Any], *, seconds: float, limit: int) -> Sequence[str]:
    """The same for runs that ended or were held so long ago and whose mail is not being sent right now; returns their
    ids."""
    statement = text(GIVE_UP_OLD).bindparams(bindparam("warning", type_=JSONB))
    given = {"warning": [dict(warning)], "seconds": seconds, "limit": limit}
    return list((await session.execute(statement, given)).scalars())
