"""An account's own record types and custom fields, as they were declared."""

import json
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session
from app.storage.runs import OPEN


async def get(session: ReadSession, account_id: int, name: str) -> object | None:
    """The declaration as decoded JSON, or None."""
    found = await session.execute(
        text("SELECT declaration FROM record_types WHERE account_id = :account_id AND name = :name"),
        {"account_id": account_id, "name": name},
    )
    return found.scalar_one_or_none()


async def exists(session: ReadSession, account_id: int, name: str) -> bool:
    found = await session.execute(
        text("SELECT EXISTS (SELECT FROM record_types WHERE account_id = :account_id AND name = :name)"),
        {"account_id": account_id, "name": name},
    )
    return bool(found.scalar_one())


async def find_existing(session: ReadSession, account_id: int, names: Collection[str]) -> set[str]:
    """Those of the names that belong to a type which the account has declared."""
    found = await session.execute(
        text("SELECT name FROM record_types WHERE account_id = :account_id AND name = ANY(:names)"),
        {"account_id": account_id, "names": list(names)},
    )
    return set(found.scalars())


async def find_keys(session: ReadSession, account_id: int, names: Collection[str]) -> Sequence[RowMapping]:
    """For each of these types that the account has declared itself: its `name`, and the `id` and `type` of the field
    that is its key. Without reading whole declarations, which may have thousands of fields."""
    found = await session.execute(
        text(
            "SELECT name, field ->> 'id' AS id, field ->> 'type' AS type FROM record_types CROSS JOIN LATERAL "
            "jsonb_path_query_first(declaration, '$.fields[*] ? (@.id == $key)', "
            "jsonb_build_object('key', declaration -> 'key')) AS field "
            "WHERE account_id = :account_id AND name = ANY(:names) AND declaration ? 'key'"
        ),
        {"account_id": account_id, "names": list(names)},
    )
    return found.mappings().all()


async def count_others(session: ReadSession, account_id: int, name: str) -> RowMapping:
    """`types` and `bytes` of all types that the account has declared, without the one of that name."""
    found = await session.execute(
        text(
            "SELECT count(*) AS types, coalesce(sum(octet_length(CAST(declaration AS text))), 0) AS bytes "
            "FROM record_types WHERE account_id = :account_id AND name <> :name"
        ),
        {"account_id": account_id, "name": name},
    )
    return found.mappings().one()


async def list_names(session: ReadSession, account_id: int) -> Sequence[str]:
    """The names of the types that the account has declared, in their order."""
    found = await session.execute(
        text("SELECT name FROM record_types WHERE account_id = :account_id ORDER BY name"), {"account_id": account_id}
    )
    return found.scalars().all()


async def list_all(session: ReadSession, account_id: int) -> Sequence[RowMapping]:
    """`name` and `declaration` (JSON text) of every type that the account has declared, ordered by name."""
    found = await session.execute(
        text(
            "SELECT name, CAST(declaration AS text) AS declaration FROM record_types "
            "WHERE account_id = :account_id ORDER BY name"
        ),
        {"account_id": account_id},
    )
    return found.mappings().all()


async def put(session: Session, account_id: int, name: str, declaration: object) -> bool:
    """Stores a declaration and says whether it is new."""
    stored = await session.execute(
        text(
            "INSERT INTO record_types (account_id, name, declaration, created_at, updated_at) "
            "VALUES (:account_id, :name, CAST(:declaration AS jsonb), now(), now()) "
            "ON CONFLICT (account_id, name) DO UPDATE SET declaration = excluded.declaration, updated_at = now() "
            "RETURNING created_at = updated_at"
        ),
        {"account_id": account_id, "name": name, "declaration": json.dumps(declaration)},
    )
    return bool(stored.scalar_one())


async def any_open_run(session: ReadSession, account_id: int, name: str) -> bool:
    """Whether an import of that type, or an undo of one, is open."""
    found = await session.execute(
        text(
            f"SELECT EXISTS (SELECT FROM runs WHERE account_id = :account_id AND type = :name "
            f"AND kind IN ('import', 'undo') AND {OPEN})"
        ),
        {"account_id": account_id, "name": name},
    )
    return bool(found.scalar_one())


# What there may be of a type, or names it. Of each kind at most so many are told.
MOST_USES: Final = 10
USES: Final = f"""
(SELECT 'run' AS use, kind, id, name FROM runs WHERE account_id = :account_id AND type = :name AND {OPEN}
    ORDER BY id LIMIT {MOST_USES})
UNION ALL (SELECT 'mapping', '', id, name FROM mappings WHERE account_id = :account_id AND type = :name
    ORDER BY id LIMIT {MOST_USES})
UNION ALL (SELECT 'schedule', kind, id, name FROM schedules
    WHERE account_id = :account_id AND request ->> 'type' = :name ORDER BY id LIMIT {MOST_USES})
UNION ALL (SELECT 'feed', '', id, name FROM feeds WHERE account_id = :account_id AND request ->> 'type' = :name
    ORDER BY id LIMIT {MOST_USES})
UNION ALL (SELECT 'type', '', name, name FROM record_types WHERE account_id = :account_id AND name <> :name
    AND jsonb_path_exists(declaration, '$.fields[*] ? (@.to == $name)', jsonb_build_object('name', CAST(:name AS text)))
    ORDER BY name LIMIT {MOST_USES})"""


async def find_uses(session: ReadSession, account_id: int, name: str) -> Sequence[RowMapping]:
    """`use` (run, mapping, schedule, feed, type), `kind` of a run or schedule, `id` and `name` of what names a type."""
    return (await session.execute(text(USES), {"account_id": account_id, "name": name})).mappings().all()


async def delete(session: Session, account_id: int, name: str) -> bool:
    """Whether the account had declared such a type."""
    gone = await session.execute(
        text("DELETE FROM record_types WHERE account_id = :account_id AND name = :name RETURNING name"),
        {"account_id": account_id, "name": name},
    )
    return gone.scalar_one_or_none() is not None
