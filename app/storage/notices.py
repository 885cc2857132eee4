"""Which ended runs somebody is still to be told of: an outbox that reads what was committed and nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from app.storage.database import Session

UNTOLD = "notify IS NOT NULL AND notified_at IS NULL AND finished_at IS NOT NULL"

# One moment is lease and backoff in one: it lies `lease` ahead at first, and as far again as the run's end lies back
# with every further try, so that a worker that dies over a mail needs no rescue.
TAKE = f"""
UPDATE runs SET tell_at = now() + least(greatest(now() - finished_at, make_interval(secs => :lease)),
    make_interval(secs => :longest))
FROM accounts
WHERE accounts.id = runs.account_id AND runs.id = (
    SELECT id FROM runs WHERE {UNTOLD} AND coalesce(tell_at, finished_at) <= now()
    ORDER BY coalesce(tell_at, finished_at) LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING runs.*, accounts.name AS account_name"""

# The server is away, so all that is due waits as long as a first try does: each of them would ask it once more.
PUT_OFF = f"""
UPDATE runs SET tell_at = now() + make_interval(secs => :seconds)
WHERE {UNTOLD} AND coalesce(tell_at, finished_at) <= now()"""

TOLD = "UPDATE runs SET notified_at = now() WHERE id = :id AND notified_at IS NULL"

GIVE_UP = """
UPDATE runs SET notified_at = now(), warnings = warnings || :warning WHERE id = :id AND notified_at IS NULL"""

GIVE_UP_OLD = f"""
UPDATE runs SET notified_at = now(), warnings = warnings || :warning WHERE id IN (
    SELECT id FROM runs WHERE {UNTOLD} AND finished_at < now() - make_interval(secs => :seconds)
        AND tell_at <= now()  -- it was tried
    ORDER BY finished_at LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING id"""


async def take(session: Session, *, lease: float, longest: float) -> RowMapping | None:
    """A run (whole, with `account_name`) whose end is to be told now, by nobody else for `lease` seconds; None if there
    is none. It comes back after a while that doubles up to `longest` seconds, unless `told` or `give_up` is called."""
    taken = await session.execute(text(TAKE), {"lease": lease, "longest": longest})
    return taken.mappings().one_or_none()


async def put_off(session: Session, *, seconds: float) -> None:
    """Nobody is told of anything for so long."""
    await session.execute(text(PUT_OFF), {"seconds": seconds})


async def told(session: Session, run_id: str) -> None:
    await session.execute(text(TOLD), {"id": run_id})


async def give_up(session: Session, run_id: str, warning: Mapping[str, Any]) -> None:
    """Nobody will be told; the run has the warning (in the shape of `runs.warnings`) instead."""
    statement = text(GIVE_UP).bindparams(bindparam("warning", type_=JSONB))
    await session.execute(statement, {"id": run_id, "warning": [dict(warning)]})


async def give_up_old(session: Session, warning: Mapping[str, Any], *, seconds: float, limit: int) -> Sequence[str]:
    """The same for runs that ended so long ago, whom nobody tries to tell of at this moment; returns their ids."""
    statement = text(GIVE_UP_OLD).bindparams(bindparam("warning", type_=JSONB))
    given = {"warning": [dict(warning)], "seconds": seconds, "limit": limit}
    return list((await session.execute(statement, given)).scalars())
