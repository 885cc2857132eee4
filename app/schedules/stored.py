"""The schedules of an account: listed, loaded, created, replaced, paused, resumed and deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any, Final

import msgspec

from app.declarations.types import ensure_named_type
from app.errors import Complaint, Refused
from app.resources.canonical import to_nfc
from app.runs.model import AccountId
from app.schedules.cron import find_next
from app.schedules.schedule import PREFIX, Schedule, ScheduleKind, schedule_from
from app.storage.access import accounts
from app.storage.clock import schedules
from app.storage.database import ReadSession, Session

MOST_SCHEDULES: Final = 200  # of an account
MOST_BYTES: Final = 8_388_608  # of what they request, all together, as JSON


@dataclass(frozen=True, slots=True)
class ScheduleDeclaration:
    """A schedule as it was declared and checked."""

    name: str
    kind: ScheduleKind
    target: str | None
    request: Mapping[str, Any]
    cron: str
    timezone: str


async def list_schedules(session: ReadSession, account_id: AccountId) -> list[Schedule]:
    """All schedules of the account, ordered by name."""
    return [schedule_from(row) for row in await schedules.list_all(session, account_id)]


async def list_of_syncs(session: ReadSession, account_id: AccountId) -> Mapping[str, Sequence[str]]:
    """The ids of the schedules that run each item sync."""
    return await schedules.list_of_syncs(session, account_id)


async def load_schedule(session: ReadSession, account_id: AccountId, schedule_id: str) -> Schedule:
    """Raises Refused("not_found")."""
    row = await schedules.get(session, account_id, schedule_id)
    if row is None:
        raise not_found()
    return schedule_from(row)


async def create_schedule(
    session: Session, account_id: AccountId, declared: ScheduleDeclaration, *, now: datetime
) -> Schedule:
    """Raises Refused: invalid (too many), name_taken."""
    schedule_id = f"{PREFIX}{token_hex(12)}"
    await accounts.lock(session, account_id)
    await refuse_clash(session, account_id, schedule_id, declared)
    values = build_columns(declared, find_next(declared.cron, declared.timezone, after=now))
    await schedules.add(session, {"id": schedule_id, "account_id": account_id, **values})
    return await load_schedule(session, account_id, schedule_id)


async def replace_schedule(
    session: Session, account_id: AccountId, schedule_id: str, declared: ScheduleDeclaration, *, now: datetime
) -> Schedule:
    """Gives a schedule other settings. One that is paused stays so, and a start that waits is given up.

    Raises Refused: not_found, invalid (too much), name_taken.
    """
    await accounts.lock(session, account_id)
    stored = await load_schedule(session, account_id, schedule_id)
    await refuse_clash(session, account_id, schedule_id, declared)
    next_run_at = find_next(declared.cron, declared.timezone, after=now) if stored.enabled else None
    await schedules.replace(session, account_id, schedule_id, build_columns(declared, next_run_at))
    return await load_schedule(session, account_id, schedule_id)


async def pause_schedule(session: Session, account_id: AccountId, schedule_id: str) -> Schedule:
    """What it has started goes on. Raises Refused("not_found")."""
    await accounts.lock(session, account_id)
    await load_schedule(session, account_id, schedule_id)
    await schedules.replace(session, account_id, schedule_id, {"enabled": False, **build_times(None)})
    return await load_schedule(session, account_id, schedule_id)


async def resume_schedule(session: Session, account_id: AccountId, schedule_id: str, *, now: datetime) -> Schedule:
    """What was missed meanwhile is not made up for. Raises Refused("not_found")."""
    await accounts.lock(session, account_id)
    stored = await load_schedule(session, account_id, schedule_id)
    if not stored.enabled:
        next_run_at = find_next(stored.cron, stored.timezone, after=now)
        await schedules.replace(session, account_id, schedule_id, {"enabled": True, **build_times(next_run_at)})
    return await load_schedule(session, account_id, schedule_id)


async def delete_schedule(session: Session, account_id: AccountId, schedule_id: str) -> None:
    """What it has started goes on. Raises Refused("not_found")."""
    await accounts.lock(session, account_id)
    if not await schedules.remove(session, account_id, schedule_id):
        raise not_found()


def build_columns(declared: ScheduleDeclaration, next_run_at: datetime | None) -> dict[str, Any]:
    return {
        "name": to_nfc(declared.name),
        "kind": declared.kind,
        "target": declared.target,
        "request": dict(declared.request),
        "cron": declared.cron,
        "timezone": declared.timezone,
        **build_times(next_run_at),
    }


def build_times(next_run_at: datetime | None) -> dict[str, Any]:
    return {"next_run_at": next_run_at, "due_at": next_run_at, "progress": None}


async def refuse_clash(
    session: Session, account_id: AccountId, schedule_id: str, declared: ScheduleDeclaration
) -> None:
    """Refuses a name that another schedule has, a type that is gone, and what would be too much. Raises Refused:
    name_taken, invalid."""
    if await schedules.find_id(session, account_id, to_nfc(declared.name)) not in (None, schedule_id):
        detail = f'There is already a schedule named "{declared.name}"'
        raise Refused("name_taken", detail, [Complaint("name", detail)])
    await ensure_named_type(session, account_id, declared.request.get("type"), "request.type")
    others = await schedules.count_others(session, account_id, schedule_id)
    if others["schedules"] >= MOST_SCHEDULES:
        raise too_much(f"The account has {MOST_SCHEDULES:,} schedules, and no more are allowed")
    size = others["bytes"] + len(msgspec.json.encode(declared.request))
    if size > MOST_BYTES:
        raise too_much(
            f"What the schedules of the account request would have {size:,} bytes together, but at most {MOST_BYTES:,} "
            "are allowed"
        )


def too_much(reason: str) -> Refused:
    return Refused("invalid", reason, [Complaint("request", reason)])


def not_found() -> Refused:
    return Refused("not_found", "There is no schedule with this id")
