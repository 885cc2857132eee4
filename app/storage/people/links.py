"""Links with which somebody sets a password or takes an invitation, by the hashes of their tokens."""

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session


async def add(
    session: Session, hashed: bytes, *, person_id: str, account_id: int | None, resets: bool, seconds: int
) -> None:
    """Takes the place of an earlier one of this person and account."""
    values = {"hash": hashed, "person_id": person_id, "account_id": account_id, "resets": resets, "seconds": seconds}
    await session.execute(
        text(
            "DELETE FROM person_links WHERE person_id = :person_id "
            "AND account_id IS NOT DISTINCT FROM CAST(:account_id AS integer)"
        ),
        values,
    )
    await session.execute(
        text(
            "INSERT INTO person_links (hash, person_id, account_id, resets, created_at, expires_at) "
            "VALUES (:hash, :person_id, :account_id, :resets, now(), now() + make_interval(secs => :seconds))"
        ),
        values,
    )


async def live(session: ReadSession, hashed: bytes) -> RowMapping | None:
    """person_id, account_id, account (name; null for the operator's), resets; and of the person email, name, password,
    and others: how many other accounts they belong to."""
    found = await session.execute(
        text(
            "SELECT l.person_id, l.account_id, a.name AS account, l.resets, p.email, p.name, p.password, "
            "(SELECT count(*) FROM memberships m WHERE m.person_id = p.id AND m.joined_at IS NOT NULL "
            "AND m.account_id <> l.account_id) AS others "
            "FROM person_links l JOIN people p ON p.id = l.person_id LEFT JOIN accounts a ON a.id = l.account_id "
            "WHERE l.hash = :hash AND l.expires_at > now()"
        ),
        {"hash": hashed},
    )
    return found.mappings().one_or_none()


async def use(session: Session, hashed: bytes) -> bool:
    """Whether the link was live. Nobody can use it again."""
    done = await session.execute(
        text("DELETE FROM person_links WHERE hash = :hash AND expires_at > now()"), {"hash": hashed}
    )
    return done.rowcount == 1


async def drop_resets(session: Session, person_id: str) -> None:
    """Deletes the links that would replace the person's password."""
    await session.execute(
        text("DELETE FROM person_links WHERE person_id = :person_id AND resets"), {"person_id": person_id}
    )


async def delete_expired(session: Session) -> int:
    """How many there were."""
    return (await session.execute(text("DELETE FROM person_links WHERE expires_at <= now()"))).rowcount
