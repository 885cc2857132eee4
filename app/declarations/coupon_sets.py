"""Coupon sets: imported coupons belong to one, which an account names before it imports them."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.errors import Complaint, Refused, describe
from app.resources.invisible import is_seen
from app.storage.database import ReadSession, Session
from app.storage.declared import coupon_sets

LONGEST: Final = 255  # characters of an id and of a name


async def load_coupon_set(session: ReadSession, account_id: int, set_id: str) -> Mapping[Any, Any]:
    """id, name, quantity (the number of its coupons), created_at, updated_at. Raises Refused("not_found")."""
    row = await coupon_sets.get(session, account_id, set_id)
    if row is None:
        raise Refused("not_found", "There is no coupon set with this id")
    return row


async def put_coupon_set(
    session: Session, account_id: int, set_id: str, body: Mapping[str, object]
) -> tuple[Mapping[Any, Any], bool]:
    """Creates a coupon set or renames it; also whether it is new. Without a name it is called by its id.

    Raises Refused("invalid").
    """
    name = body.get("name", set_id)
    complaints = [*check_text("id", set_id), *check_text("name", name)]
    if complaints:
        raise Refused("invalid", describe(complaints), complaints)
    new = await coupon_sets.put(session, account_id, set_id, str(name))
    return await load_coupon_set(session, account_id, set_id), new


def check_text(member: str, value: object) -> Iterator[Complaint]:
    if not isinstance(value, str):
        yield Complaint(member, f"`{member}` must be a string")
    elif not 0 < len(value) <= LONGEST:
        yield Complaint(member, f"`{member}` must be 1 to {LONGEST} characters long")
    elif any(unicodedata.category(each) in {"Cc", "Cs"} for each in value):
        yield Complaint(member, f"`{member}` must not contain control characters")
    elif not is_seen(value):
        yield Complaint(member, f"`{member}` must have a character that can be seen")
