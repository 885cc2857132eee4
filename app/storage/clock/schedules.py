"""Schedules as rows: what an account has started by the clock, and who starts it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, RowMapping, delete, insert, literal_column, select, text, update

from app.storage.access.accounts import SUSPENDED
from app.storage.clock.tables import schedules
from app.storage.database import ReadSession, Session
from app.storage.tables import runs

# `due_at` is lease and backoff in one: a worker that takes a schedule moves it on, and starts something only while it
# is where that worker put it. One of each account at a time: what is slow for one account does not hold up another.
TAKE = f"""
UPDATE schedules s SET due_at = :until
WHERE id IN (
    SELECT id FROM schedules WHERE due_at <= :now AND id IN (
        SELECT DISTINCT ON (account_id) id FROM schedules
        WHERE due_at <= :now AND account_id <> ALL({SUSPENDED}) ORDER BY account_id, due_at, id)
    ORDER BY due_at, id LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING s.*, (SELECT id FROM runs WHERE account_id = s.account_id AND created_by = s.id AND finished_at IS NULL
    ORDER BY created_at LIMIT 1) AS open_run"""

HELD = "SELECT id FROM schedules WHERE id = :id AND due_at = :until FOR UPDATE"

OTHERS = """
SELECT count(*) AS schedules, coalesce(sum(octet_length(request::text)), 0) AS bytes
FROM schedules WHERE account_id = :account_id AND id <> :id"""


# Each with the state of its last run, which may be gone.
LAST_STATE = select(runs.c.state).where(runs.c.id == schedules.c.last_run_id).scalar_subquery()
SHOWN = select(schedules, LAST_STATE.label("last_run_state"))
BRIEF = [literal_column("'{}'", JSON).label(each.name) if each.name == "request" else each for each in schedules.c]
LISTED = select(*BRIEF, LAST_STATE.label("last_run_state"))


async def add(session: Session, values: Mapping[str, Any]) -> None:
    await session.execute(insert(schedules).values(created_at=text("now()"), updated_at=text("now()"), **values))


async def get(session: ReadSession, account_id: int, schedule_id: str) -> RowMapping | None:
    """With `last_run_state`."""
    found = await session.execute(SHOWN.where(*owned(account_id, schedule_id)))
    return found.mappings().one_or_none()


async def list_all(session: ReadSession, account_id: int) -> Sequence[RowMapping]:
    """The account's schedules with `last_run_state`, ordered by name. Their requests, which may be large, are left
    out."""
    found = await session.execute(LISTED.where(schedules.c.account_id == account_id).order_by(schedules.c.name))
    return found.mappings().all()


async def list_of_syncs(session: ReadSession, account_id: int) -> Mapping[str, list[str]]:
    """The ids of the schedules that run each item sync of the account, ordered by name."""
    of_syncs = (schedules.c.account_id == account_id, schedules.c.kind == "sync")
    listed = select(schedules.c.target, schedules.c.id).where(*of_syncs).order_by(schedules.c.name)
    found: dict[str, list[str]] = {}
    for target, schedule_id in await session.execute(listed):
        found.setdefault(target, []).append(schedule_id)
    return found


async def find_id(session: ReadSession, account_id: int, name: str) -> str | None:
    named = (schedules.c.account_id == account_id, schedules.c.name == name)
    return (await session.execute(select(schedules.c.id).where(*named))).scalar_one_or_none()


async def count_others(session: ReadSession, account_id: int, schedule_id: str) -> RowMapping:
    """`schedules`, and `bytes` of what they request, of the account without the one with that id."""
    counted = await session.execute(text(OTHERS), {"account_id": account_id, "id": schedule_id})
    return counted.mappings().one()


async def replace(session: Session, account_id: int, schedule_id: str, values: Mapping[str, Any]) -> None:
    """Gives a schedule new values."""
    changed = update(schedules).where(*owned(account_id, schedule_id)).values(updated_at=text("now()"), **values)
    await session.execute(changed)


async def remove(session: Session, account_id: int, schedule_id: str) -> bool:
    """Deletes a schedule and says whether there was one."""
    return bool((await session.execute(delete(schedules).where(*owned(account_id, schedule_id)))).rowcount)


async def take_due(session: Session, now: datetime, *, until: datetime, limit: int) -> Sequence[RowMapping]:
    """Schedules that are due, one of each account that is not suspended, reserved until that moment. Each has
    `open_run`, the oldest of its runs that has not ended."""
    taken = await session.execute(text(TAKE), {"now": now, "until": until, "limit": limit})
    return taken.mappings().all()


async def hold(session: Session, schedule_id: str, *, until: datetime) -> bool:
    """Whether the schedule is still reserved as it was taken. It does not change until the transaction ends."""
    return (await session.execute(text(HELD), {"id": schedule_id, "until": until})).first() is not None


async def settle(session: Session, schedule_id: str, values: Mapping[str, Any]) -> None:
    """Notes what has become of a start. Call it while the schedule is held."""
    await session.execute(update(schedules).where(schedules.c.id == schedule_id).values(**values))


def owned(account_id: int, schedule_id: str) -> tuple[ColumnElement[bool], ...]:
    return schedules.c.account_id == account_id, schedules.c.id == schedule_id
