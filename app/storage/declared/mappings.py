"""Mapping templates as an account has stored them, each under a name that is unique for its type."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session

# A mapping is written and read as JSON text, so that its members stay in the order that was sent.
WHOLE = "id, name, type, mapping::text AS mapping, created_at, updated_at, last_used_at"
# The feeds and schedules of an account that start runs with a template.
USES = """
    SELECT 'feed' AS kind, id, name, request ->> 'mappingId' AS template_id FROM feeds WHERE account_id = :account_id
    UNION ALL
    SELECT 'schedule', id, name, request ->> 'mappingId' FROM schedules WHERE account_id = :account_id
"""
BRIEF = f"""
    id, name, type, coalesce(json_array_length(mapping -> 'columns'), 0) AS columns,
    (SELECT count(*) FROM json_array_elements(mapping -> 'columns') AS c WHERE c ->> 'ignore' = 'true') AS ignored,
    (SELECT count(*) FROM ({USES}) AS uses WHERE template_id = mappings.id) AS uses,
    created_at, updated_at, last_used_at
"""


async def add(session: Session, account_id: int, values: Mapping[str, str]) -> RowMapping:
    """Stores a new template of `id`, `name`, `type` and `mapping`, and returns it whole."""
    added = await session.execute(
        text(
            "INSERT INTO mappings (id, account_id, name, type, mapping, created_at, updated_at) "
            f"VALUES (:id, :account_id, :name, :type, CAST(:mapping AS json), now(), now()) RETURNING {WHOLE}"
        ),
        {"account_id": account_id, **values},
    )
    return added.mappings().one()


async def get(session: ReadSession, account_id: int, template_id: str) -> RowMapping | None:
    found = await session.execute(
        text(f"SELECT {WHOLE} FROM mappings WHERE account_id = :account_id AND id = :id"),
        {"account_id": account_id, "id": template_id},
    )
    return found.mappings().one_or_none()


async def find_id(session: ReadSession, account_id: int, *, name: str, type: str) -> str | None:
    """The id of the account's template with that name for that type."""
    found = await session.execute(
        text("SELECT id FROM mappings WHERE account_id = :account_id AND name = :name AND type = :type"),
        {"account_id": account_id, "name": name, "type": type},
    )
    return found.scalar_one_or_none()


async def list_page(
    session: ReadSession, account_id: int, *, type: str | None, after: tuple[str, str], limit: int
) -> Sequence[RowMapping]:
    """Templates after that name and type, of one type or of all, in this order. `columns` is how many they have, of
    which some are `ignored`, and `uses` how many feeds and schedules start runs with them."""
    of_type = "" if type is None else "AND type = :type "
    name, last_type = after
    found = await session.execute(
        text(
            f"SELECT {BRIEF} FROM mappings WHERE account_id = :account_id {of_type}"
            "AND (name, type) > (:after_name, :after_type) ORDER BY name, type LIMIT :limit"
        ),
        {"account_id": account_id, "type": type, "after_name": name, "after_type": last_type, "limit": limit},
    )
    return found.mappings().all()


async def list_uses(session: ReadSession, account_id: int, template_id: str) -> Sequence[RowMapping]:
    """The `kind`, `id` and `name` of each feed and schedule that starts runs with the template."""
    found = await session.execute(
        text(f"SELECT kind, id, name FROM ({USES}) AS uses WHERE template_id = :id ORDER BY kind, name, id"),
        {"account_id": account_id, "id": template_id},
    )
    return found.mappings().all()


async def mark_used(session: Session, account_id: int, template_id: str) -> None:
    """Dates the last run that was accepted with the template, if there still is one."""
    await session.execute(
        text("UPDATE mappings SET last_used_at = now() WHERE account_id = :account_id AND id = :id"),
        {"account_id": account_id, "id": template_id},
    )


async def list_whole(session: ReadSession, account_id: int, *, type: str | None = None) -> Sequence[RowMapping]:
    """All templates, or those for a type, with their mappings, ordered by name: `id`, `name`, `type`, `mapping`. They
    may have 8 MB."""
    of_type = "" if type is None else "AND type = :type "
    found = await session.execute(
        text(
            "SELECT id, name, type, mapping::text AS mapping FROM mappings WHERE account_id = :account_id "
            f"{of_type}ORDER BY name, type"
        ),
        {"account_id": account_id} | ({} if type is None else {"type": type}),
    )
    return found.mappings().all()


async def count_others(session: ReadSession, account_id: int, template_id: str) -> RowMapping:
    """`templates` and `bytes` of all templates of the account, without the one with that id."""
    counted = await session.execute(
        text(
            "SELECT count(*) AS templates, coalesce(sum(octet_length(mapping::text)), 0) AS bytes "
            "FROM mappings WHERE account_id = :account_id AND id <> :id"
        ),
        {"account_id": account_id, "id": template_id},
    )
    return counted.mappings().one()


async def replace(session: Session, account_id: int, template_id: str, *, name: str, mapping: str) -> RowMapping:
    """Gives a template, which must exist, a name and a mapping, and returns it whole."""
    replaced = await session.execute(
        text(
            "UPDATE mappings SET name = :name, mapping = CAST(:mapping AS json), updated_at = now() "
            f"WHERE account_id = :account_id AND id = :id RETURNING {WHOLE}"
        ),
        {"account_id": account_id, "id": template_id, "name": name, "mapping": mapping},
    )
    return replaced.mappings().one()


async def remove(session: Session, account_id: int, template_id: str) -> bool:
    """Deletes a template and says whether there was one."""
    removed: Any = await session.execute(
        text("DELETE FROM mappings WHERE account_id = :account_id AND id = :id"),
        {"account_id": account_id, "id": template_id},
    )
    return bool(removed.rowcount)
