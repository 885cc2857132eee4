"""Drafts of an account: added, read, changed, used up by the run that comes of them, and deleted when they are old."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Interval, RowMapping, cast, delete, func, insert, literal, select, text, update

from app.storage.database import ReadSession, Session
from app.storage.drafts.tables import drafts

VERSION: Final = 1  # of the JSON that this release writes; drafts of a newer one are not seen
_kept = (drafts.c.version <= VERSION, drafts.c.expires_at > func.now())
_open = (*_kept, drafts.c.run_id.is_(None))
# What lists show. A header with 2,000 columns is no part of it.
BRIEF = (
    "id",
    "step",
    "created_by",
    "file_name",
    "source",
    "changed_at",
    "expires_at",
)


def _moments(hours: int) -> dict[str, Any]:
    return {"changed_at": func.now(), "expires_at": func.now() + cast(literal(f"{hours} hours"), Interval)}


async def add(session: Session, values: Mapping[str, Any], *, hours: int) -> RowMapping:
    """Stores a new draft, kept for so many hours, and returns it whole."""
    moments = {"created_at": func.now(), **_moments(hours)}
    stored = await session.execute(insert(drafts).values(version=VERSION, **moments, **values).returning(*drafts.c))
    return stored.mappings().one()


async def get(session: ReadSession, account_id: int, draft_id: str) -> RowMapping | None:
    """The account's draft with this id, also if a run has come of it, unless it has expired."""
    found = await session.execute(
        select(*drafts.c).where(drafts.c.id == draft_id, drafts.c.account_id == account_id, *_kept)
    )
    return found.mappings().one_or_none()


async def list_open(session: ReadSession, account_id: int) -> Sequence[RowMapping]:
    """In brief (BRIEF, `name`, which its run would have, and `purpose`), last changed first."""
    chosen = [drafts.c.choices[name].as_string().label(name) for name in ("name", "purpose")]
    columns = [*(drafts.c[name] for name in BRIEF), *chosen]
    found = await session.execute(
        select(*columns).where(drafts.c.account_id == account_id, *_open).order_by(drafts.c.changed_at.desc())
    )
    return found.mappings().all()


async def count_open(session: ReadSession, account_id: int) -> int:
    counted = await session.execute(
        select(func.count()).select_from(drafts).where(drafts.c.account_id == account_id, *_open)
    )
    return int(counted.scalar_one())


async def change(
    session: Session, account_id: int, draft_id: str, values: Mapping[str, Any], *, hours: int
) -> RowMapping | None:
    """Gives columns of a draft these values, keeps it for so many hours from now, and returns it whole; None if it is
    done or gone."""
    changed = await session.execute(
        update(drafts)
        .where(drafts.c.id == draft_id, drafts.c.account_id == account_id, *_open)
        .values(**values, **_moments(hours))
        .returning(*drafts.c)
    )
    return changed.mappings().one_or_none()


async def use_up(session: Session, account_id: int, draft_id: str, run_id: str) -> bool:
    """Notes the run that has come of a draft, and lets go of its file and its secret. False if a run has come of it
    already, or if it is gone: of several that try at a time one succeeds."""
    used = await session.execute(
        update(drafts)
        .where(drafts.c.id == draft_id, drafts.c.account_id == account_id, *_open)
        .values(run_id=run_id, blob=None, blob_digests=None, secret=None, facts=None)
    )
    return bool(used.rowcount)


async def list_checks(session: ReadSession, account_id: int, draft_id: str) -> list[str]:
    """The open runs that only check what a draft would do."""
    found = await session.execute(
        text(
            "SELECT id FROM runs WHERE account_id = :account_id AND finished_at IS NULL AND options ->> 'draft' = :id"
        ),
        {"account_id": account_id, "id": draft_id},
    )
    return list(found.scalars())


async def remove(session: Session, account_id: int, draft_id: str) -> RowMapping | None:
    """Deletes an open draft and returns its `blob`; None if there is none."""
    removed = await session.execute(
        delete(drafts)
        .where(drafts.c.id == draft_id, drafts.c.account_id == account_id, *_open)
        .returning(drafts.c.blob)
    )
    return removed.mappings().one_or_none()


async def delete_expired(session: Session, *, limit: int = 1_000) -> list[str]:
    """Deletes drafts that nobody has gone on with in time, and returns the names of their files."""
    deleted = await session.execute(
        text(
            "DELETE FROM drafts d USING (SELECT id FROM drafts WHERE expires_at <= now() LIMIT :limit "
            "FOR UPDATE SKIP LOCKED) AS old WHERE d.id = old.id RETURNING d.blob"
        ),
        {"limit": limit},
    )
    return [blob for blob in deleted.scalars() if blob is not None]
