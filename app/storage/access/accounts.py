"""Accounts and their API keys."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import RowMapping, text

from app.errors import Refused
from app.storage.database import ReadSession, Session

# Whether the row `k` of `api_keys` is a key that may be used.
LIVE_KEY: Final = "k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())"
STAYS: Final = "deleting_at IS NULL"  # whether the account is not being deleted
DELETED: Final = "The account is being deleted"
BEING_DELETED: Final = "The account `{name}` is being deleted. Its name is free again once that is done"
# The accounts whose work waits: read once for each statement, from an index that has no others.
SUSPENDED: Final = "ARRAY(SELECT id FROM accounts WHERE suspended_at IS NOT NULL)"
IS_SUSPENDED: Final = "The account is suspended. Ask the operator of the service"
BRAKES: Final = "SELECT brakes FROM accounts WHERE id = :id"
USED_SECONDS: Final = 60  # the last use of a key is written at most once in so many seconds
STALE_KEY: Final = f"(k.last_used_at IS NULL OR k.last_used_at < now() - make_interval(secs => {USED_SECONDS}))"
KEYS_BY_ID: Final = text(
    f"SELECT k.id, k.account_id, a.name AS account, a.quotas, k.secret_hash, k.scopes, {STALE_KEY} AS stale, "
    "coalesce(k.expires_at <= now(), false) AS expired, a.suspended_at IS NOT NULL AS suspended "
    "FROM api_keys k JOIN accounts a ON a.id = k.account_id WHERE k.id = ANY(:ids) AND k.revoked_at IS NULL"
)
KEY: Final = (
    "k.id, a.name AS account, k.scopes, k.label, k.created_by, k.created_at, k.last_used_at, k.expires_at, "
    "k.revoked_at, coalesce(p.name, by_key.label) AS made_by "
    "FROM api_keys k JOIN accounts a ON a.id = k.account_id "
    "LEFT JOIN people p ON p.id = k.created_by LEFT JOIN api_keys by_key ON by_key.id = k.created_by"
)


async def account_named(session: Session, name: str) -> int:
    """The id of the account with this name, which is created if it is new. Its deletion cannot begin until the
    transaction ends. Raises Refused("being_deleted") while an account of this name is being deleted."""
    await session.execute(
        text("INSERT INTO accounts (name, created_at) VALUES (:name, now()) ON CONFLICT (name) DO NOTHING"),
        {"name": name},
    )
    given = text("SELECT id, deleting_at FROM accounts WHERE name = :name FOR SHARE")
    found = (await session.execute(given, {"name": name})).one_or_none()
    if found is None or found.deleting_at is not None:
        raise Refused("being_deleted", BEING_DELETED.format(name=name))
    return int(found.id)


async def find_account(session: ReadSession, name: str) -> int | None:
    """The id of the account with this name."""
    found = await session.execute(text("SELECT id FROM accounts WHERE name = :name"), {"name": name})
    return found.scalar_one_or_none()


async def next_seq(session: Session, account_id: int) -> int:
    """Takes the next number of the account's order of writes, and holds the account's row until the transaction ends:
    every other acceptance of a run of this account waits here, so the queue limit and the order of acceptance are
    exact. Raises Refused("not_authenticated") once the account is being deleted."""
    raised = await session.execute(
        text(f"UPDATE accounts SET last_seq = last_seq + 1 WHERE id = :id AND {STAYS} RETURNING last_seq"),
        {"id": account_id},
    )
    seq = raised.scalar_one_or_none()
    if seq is None:
        raise Refused("not_authenticated", DELETED)
    return int(seq)


async def lock(session: Session, account_id: int) -> None:
    """Holds the account's row until the transaction ends: no import of the account is accepted meanwhile, and nothing
    else is changed that is unique within the account. Imports at work go on. Raises Refused("not_authenticated") once
    the account is being deleted."""
    held = text(f"SELECT id FROM accounts WHERE id = :id AND {STAYS} FOR NO KEY UPDATE")
    if (await session.execute(held, {"id": account_id})).first() is None:
        raise Refused("not_authenticated", DELETED)


async def get_brakes(session: ReadSession, account_id: int) -> dict[str, Any]:
    """The limits of runs that do not set them, by the names of fields."""
    found: dict[str, Any] = (await session.execute(text(BRAKES), {"id": account_id})).scalar_one()
    return found


async def set_brakes(session: Session, account_id: int, brakes: str) -> None:
    """`brakes`: the same as JSON."""
    await session.execute(
        text("UPDATE accounts SET brakes = CAST(:brakes AS jsonb) WHERE id = :id"), {"id": account_id, "brakes": brakes}
    )


async def add_key(session: Session, account_id: int, key_id: str, **values: Any) -> None:
    """`values`: secret_hash (bytes), scopes (list of str), label (str), created_by (a key or a person; None: the
    operator), days (until it expires; None: never)."""
    await session.execute(
        text(
            "INSERT INTO api_keys (id, account_id, secret_hash, scopes, label, created_by, created_at, expires_at) "
            "VALUES (:id, :account_id, :secret_hash, :scopes, :label, :created_by, now(), "
            "now() + make_interval(days => CAST(:days AS integer)))"
        ),
        {"id": key_id, "account_id": account_id, **values},
    )


async def find_keys(session: ReadSession, key_ids: Collection[str]) -> Mapping[str, RowMapping]:
    """The keys with these ids that are not revoked, by id: account_id, account (name), quotas (of the
    account), secret_hash, scopes, whether it has expired, whether the account is suspended, and whether the key is
    stale: its last use has to be written again."""
    found = await session.execute(KEYS_BY_ID, {"ids": list(key_ids)})
    return {row["id"]: row for row in found.mappings()}


async def note_use(session: Session, key_id: str) -> None:
    """Writes that the key is used now, unless somebody else holds or writes its row: it waits for nobody."""
    await session.execute(
        text(
            "UPDATE api_keys SET last_used_at = now() WHERE id = (SELECT k.id FROM api_keys k WHERE k.id = :id "
            f"AND {STALE_KEY} FOR NO KEY UPDATE SKIP LOCKED)"
        ),
        {"id": key_id},
    )


async def has_keys(session: ReadSession) -> bool:
    """Whether any API key was ever made."""
    return (await session.execute(text("SELECT id FROM api_keys LIMIT 1"))).first() is not None


async def hold_key(session: Session, key_id: str) -> bool:
    """Whether the key is live. It cannot be revoked until the transaction ends. Raises Refused("account_suspended")."""
    found = await session.execute(
        text(f"SELECT k.account_id = ANY({SUSPENDED}) FROM api_keys k WHERE k.id = :id AND {LIVE_KEY} FOR SHARE OF k"),
        {"id": key_id},
    )
    suspended = found.scalar_one_or_none()
    ensure_active(suspended=bool(suspended))
    return suspended is not None


def ensure_active(*, suspended: bool) -> None:
    """Raises Refused("account_suspended")."""
    if suspended:
        raise Refused("account_suspended", IS_SUSPENDED)


async def keys(session: ReadSession, account: str | None) -> Sequence[RowMapping]:
    """All keys, or those of one account, oldest first: id, account, scopes, label, created_by, created_at,
    last_used_at, expires_at, revoked_at, made_by (what `created_by` is called).

    `account` is a name, or the number by which logs call an account, unless another one has it as its name.
    """
    found = await session.execute(
        text(
            f"SELECT {KEY} WHERE CAST(:account AS text) IS NULL OR a.name = :account "
            "OR (CAST(a.id AS text) = :account "
            "AND NOT EXISTS (SELECT FROM accounts WHERE name = :account)) ORDER BY k.created_at, k.id"
        ),
        {"account": account},
    )
    return found.mappings().all()


async def keys_in_use(session: ReadSession, account_id: int, key_id: str | None = None) -> Sequence[RowMapping]:
    """The account's keys that are not revoked, expired ones too, oldest first; or one of them. As `keys`."""
    found = await session.execute(
        text(
            f"SELECT {KEY} WHERE k.account_id = :account_id AND k.revoked_at IS NULL "
            "AND (CAST(:id AS text) IS NULL OR k.id = :id) ORDER BY k.created_at, k.id"
        ),
        {"account_id": account_id, "id": key_id},
    )
    return found.mappings().all()


async def revoke_key(session: Session, key_id: str) -> bool:
    """Whether there was such a key that was not revoked yet. Sessions that were begun with it end."""
    done = await session.execute(
        text("UPDATE api_keys SET revoked_at = now() WHERE id = :id AND revoked_at IS NULL"), {"id": key_id}
    )
    await session.execute(text("DELETE FROM sessions WHERE key_id = :id"), {"id": key_id})
    return done.rowcount == 1
