"""Rows of the audit log, listed and deleted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, RowMapping, Select, literal, select, text, tuple_

from app.storage.audit.tables import audit_log
from app.storage.database import ReadSession, Session
from app.storage.people.tables import people

PIECE: Final = 10_000  # rows of a transaction
# The lowest ids are the oldest rows, so little is read when these are young enough.
DROP: Final = text("""
DELETE FROM audit_log WHERE id IN (
    SELECT id FROM (SELECT id, at FROM audit_log ORDER BY id LIMIT :limit) oldest
    WHERE at < now() - make_interval(days => :days))""")

# By what the list is filtered, each with an index.
Filter = Literal["action", "actor", "what"]
UNNAMED: Final = ("operator", "service")


def is_by(actor: str) -> ColumnElement[bool]:
    """`actor`: an id, the e-mail address of a person who belongs to some account, or one of UNNAMED."""
    if actor in UNNAMED:
        return audit_log.c.actor_kind == actor
    if "@" not in actor:
        return audit_log.c.actor_id == actor
    return audit_log.c.actor_id == select(people.c.id).where(people.c.email == actor.lower()).scalar_subquery()


CONDITIONS: Final[Mapping[Filter, Callable[[str], ColumnElement[bool]]]] = {
    "action": lambda action: audit_log.c.action == action,
    "actor": is_by,
    "what": lambda what: audit_log.c.what_id == what,
}


async def list_page(session: ReadSession, page: Select[tuple[Any, ...]]) -> Sequence[RowMapping]:
    """Reads what `select_page` selects."""
    found: Sequence[RowMapping] = (await session.execute(page)).mappings().all()
    return found


def select_page(
    account_id: int | None,
    filters: Mapping[Filter, str],
    *,
    since: datetime | None,
    before: datetime | None,
    after: tuple[datetime, int] | None,
    limit: int,
) -> Select[tuple[Any, ...]]:
    """The account's rows that meet these filters, since one moment and before another, newest first; None: those of no
    account. `after` is the moment and the id of the last row that was seen."""
    found = select(audit_log).where(audit_log.c.account_id == account_id)
    found = found.where(*(CONDITIONS[name](value) for name, value in filters.items()))
    if since is not None:
        found = found.where(audit_log.c.at >= since)
    if before is not None:
        found = found.where(audit_log.c.at < before)
    if after is not None:
        found = found.where(tuple_(audit_log.c.at, audit_log.c.id) < tuple_(*map(literal, after)))
    return found.order_by(audit_log.c.at.desc(), audit_log.c.id.desc()).limit(limit)


async def drop_old(session: Session, *, days: int) -> int:
    """Deletes some of what is older than so many days, of all accounts, and returns how much."""
    return (await session.execute(DROP, {"days": days, "limit": PIECE})).rowcount
