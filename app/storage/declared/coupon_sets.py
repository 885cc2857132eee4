"""Coupon sets: what imported coupons belong to."""

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession, Session

VIEW = "id, name, created_at, updated_at"


async def get(session: ReadSession, account_id: int, set_id: str) -> RowMapping | None:
    """id, name, created_at, updated_at and `quantity`, the number of its coupons; None if there is no such set."""
    found = await session.execute(
        text(
            f"SELECT {VIEW}, (SELECT count(*) FROM records r WHERE r.account_id = :account_id "
            "AND r.type = 'coupons' AND r.data ->> 'couponSetId' = :id) AS quantity "
            "FROM coupon_sets WHERE account_id = :account_id AND id = :id"
        ),
        {"account_id": account_id, "id": set_id},
    )
    return found.mappings().one_or_none()


async def exists(session: ReadSession, account_id: int, set_id: str) -> bool:
    found = await session.execute(
        text("SELECT EXISTS (SELECT FROM coupon_sets WHERE account_id = :account_id AND id = :id)"),
        {"account_id": account_id, "id": set_id},
    )
    return bool(found.scalar_one())


async def put(session: Session, account_id: int, set_id: str, name: str) -> bool:
    """Creates or renames a set and says whether it is new."""
    stored = await session.execute(
        text(
            "INSERT INTO coupon_sets (account_id, id, name, created_at, updated_at) "
            "VALUES (:account_id, :id, :name, now(), now()) "
            "ON CONFLICT (account_id, id) DO UPDATE SET name = excluded.name, updated_at = now() "
            "RETURNING created_at = updated_at"
        ),
        {"account_id": account_id, "id": set_id, "name": name},
    )
    return bool(stored.scalar_one())
