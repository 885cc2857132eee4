"""People and the accounts that they belong to, as rows."""

from collections.abc import Sequence
from secrets import token_hex
from typing import Any, Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session

# Of somebody who has not taken the invitation an account sees what it has sent, and nothing of other accounts.
MEMBER: Final = (
    "p.id, p.email, CASE WHEN m.joined_at IS NULL AND p.password IS NOT NULL THEN split_part(p.email, '@', 1) "
    "ELSE p.name END AS name, CASE WHEN m.joined_at IS NOT NULL THEN p.signed_in_at END AS signed_in_at, "
    "m.role, m.created_by, m.created_at, m.joined_at"
)


async def find_person(session: ReadSession, email: str) -> RowMapping | None:
    """By the address, in lower case: all columns of `people`."""
    found = await session.execute(text("SELECT * FROM people WHERE email = :email"), {"email": email})
    return found.mappings().one_or_none()


async def hold_person(session: Session, person_id: str) -> RowMapping | None:
    """All columns of `people`. The row is held until the transaction ends: nobody else changes the password."""
    found = await session.execute(text("SELECT * FROM people WHERE id = :id FOR NO KEY UPDATE"), {"id": person_id})
    return found.mappings().one_or_none()


async def add_person(session: Session, *, email: str, name: str) -> str:
    """The id of the person with this address, who is added if new."""
    values = {"id": f"person_{token_hex(8)}", "email": email, "name": name}
    await session.execute(
        text(
            "INSERT INTO people (id, email, name, created_at) VALUES (:id, :email, :name, now()) "
            "ON CONFLICT (email) DO NOTHING"
        ),
        values,
    )
    found = await session.execute(text("SELECT id FROM people WHERE email = :email"), values)
    return str(found.scalar_one())


async def set_password(session: Session, person_id: str, password: str) -> None:
    """Stores a PHC string."""
    await session.execute(
        text("UPDATE people SET password = :password WHERE id = :id"), {"id": person_id, "password": password}
    )


async def note_sign_in(session: Session, person_id: str) -> None:
    await session.execute(text("UPDATE people SET signed_in_at = now() WHERE id = :id"), {"id": person_id})


async def set_theme(session: Session, person_id: str, theme: str) -> None:
    await session.execute(text("UPDATE people SET theme = :theme WHERE id = :id"), {"id": person_id, "theme": theme})


async def add_member(session: Session, **values: Any) -> bool:
    """Whether the person was none yet. `values`: person_id, account_id, role, created_by."""
    added = await session.execute(
        text(
            "INSERT INTO memberships (person_id, account_id, role, created_by, created_at) "
            "VALUES (:person_id, :account_id, :role, :created_by, now()) ON CONFLICT DO NOTHING"
        ),
        values,
    )
    return added.rowcount == 1


async def join(session: Session, person_id: str, account_id: int) -> None:
    """Makes somebody who was invited a member."""
    await session.execute(
        text(
            "UPDATE memberships SET joined_at = now() WHERE person_id = :person_id AND account_id = :account_id "
            "AND joined_at IS NULL"
        ),
        {"person_id": person_id, "account_id": account_id},
    )


async def members(session: ReadSession, account_id: int, person_id: str | None = None) -> Sequence[RowMapping]:
    """The members of an account and those who are invited, by their addresses; or one of them: id, email, name,
    signed_in_at, role, created_by, created_at, joined_at."""
    found = await session.execute(
        text(
            f"SELECT {MEMBER} FROM memberships m JOIN people p ON p.id = m.person_id WHERE m.account_id = :account_id "
            "AND (CAST(:person_id AS text) IS NULL OR p.id = :person_id) ORDER BY p.email"
        ),
        {"account_id": account_id, "person_id": person_id},
    )
    return found.mappings().all()


async def all_members(session: ReadSession, account: str | None) -> Sequence[RowMapping]:
    """Those of the account with this name, or of all: as `members`, and account (name)."""
    found = await session.execute(
        text(
            f"SELECT {MEMBER}, a.name AS account FROM memberships m JOIN people p ON p.id = m.person_id "
            "JOIN accounts a ON a.id = m.account_id WHERE CAST(:account AS text) IS NULL OR a.name = :account "
            "ORDER BY a.name, p.email"
        ),
        {"account": account},
    )
    return found.mappings().all()


async def memberships(session: ReadSession, person_id: str) -> Sequence[RowMapping]:
    """The accounts that somebody belongs to, by name, suspended ones last: account_id, account (name), role."""
    found = await session.execute(
        text(
            "SELECT m.account_id, a.name AS account, m.role FROM memberships m JOIN accounts a ON a.id = m.account_id "
            "WHERE m.person_id = :person_id AND m.joined_at IS NOT NULL ORDER BY a.suspended_at IS NOT NULL, a.name"
        ),
        {"person_id": person_id},
    )
    return found.mappings().all()


async def set_role(session: Session, account_id: int, person_id: str, role: str) -> None:
    await session.execute(
        text("UPDATE memberships SET role = :role WHERE account_id = :account_id AND person_id = :person_id"),
        {"account_id": account_id, "person_id": person_id, "role": role},
    )


async def remove_member(session: Session, account_id: int, person_id: str) -> None:
    """Removes a person from an account, with their sessions and links there. A person without any other account is
    deleted. An invitation to another account that is being written is waited for."""
    values = {"account_id": account_id, "person_id": person_id}
    await session.execute(text("SELECT FROM people WHERE id = :person_id FOR UPDATE"), values)
    for table in ("sessions", "person_links", "memberships"):
        await session.execute(
            text(f"DELETE FROM {table} WHERE account_id = :account_id AND person_id = :person_id"), values
        )
    await session.execute(
        text(
            "DELETE FROM people WHERE id = :person_id "
            "AND NOT EXISTS (SELECT FROM memberships WHERE person_id = :person_id)"
        ),
        values,
    )


async def count_others(session: ReadSession, account_id: int, person_id: str) -> int:
    """How many other accounts the person belongs to."""
    found = await session.execute(
        text(
            "SELECT count(*) FROM memberships WHERE person_id = :person_id AND account_id <> :account_id "
            "AND joined_at IS NOT NULL"
        ),
        {"account_id": account_id, "person_id": person_id},
    )
    return int(found.scalar_one())
