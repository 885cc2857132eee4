"""Records of customers into Voucherify's objects, and what is asked of a list of them into the storage's terms."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from app.storage.listing import Filter, Order, OrderField, Page, RecordQuery
from app.surfaces.voucherify.translate.moments import exact, moment_from
from app.surfaces.voucherify.wire.customers import CustomersAsked

PLAIN: Final = ("source_id", "name", "description", "email", "phone", "birthdate")
ADDRESS: Final = ("city", "state", "line_1", "line_2", "country", "postal_code")
METADATA: Final = "metadata."
NULL: Final = b"null"

# Nothing is redeemed, ordered or referred here.
NO_REDEMPTIONS: Final = {
    "total_redeemed": 0,
    "total_failed": 0,
    "total_succeeded": 0,
    "total_rolled_back": 0,
    "total_rollback_failed": 0,
    "total_rollback_succeeded": 0,
    "gift": {"redeemed_amount": 0, "amount_to_go": 0},
    "loyalty_card": {"redeemed_points": 0, "points_to_go": 0},
}
NO_ORDERS: Final = {"total_amount": 0, "total_count": 0, "average_amount": 0, "last_order_amount": 0}
NOTHING_DONE: Final = {
    name: msgspec.Raw(msgspec.json.encode(zeros))
    for name, zeros in {
        "summary": {"redemptions": NO_REDEMPTIONS, "orders": NO_ORDERS},
        "loyalty": {"points": 0, "referred_customers": 0, "campaigns": {}},
        "referrals": {"total": 0, "campaigns": []},
    }.items()
}

MOMENTS: Final[Mapping[Filter, str]] = {
    "created_before": "created_at[before]",
    "created_after": "created_at[after]",
    "updated_before": "updated_at[before]",
    "updated_after": "updated_at[after]",
}
TEXTS: Final[tuple[Filter, ...]] = ("email", "city", "name")
FIELDS: Final[Mapping[str, OrderField]] = {
    "created_at": "created_at",
    "updated_at": "updated_at",
    "source_id": "source_id",
}


def customer(row: Mapping[Any, Any]) -> dict[str, object]:
    """As wire.Customer. Every value stays the text that it is stored as: no number goes through a float."""
    fields = msgspec.json.decode(row["data"], type=dict[str, msgspec.Raw])
    # A field that was cleared is as one that was never set: left out.
    plain: dict[str, object] = {name: fields[name] for name in PLAIN if name in fields and bytes(fields[name]) != NULL}
    shown: dict[str, object] = {"id": row["key"], **plain}
    if "birthdate" in plain:
        shown["birthday"] = plain["birthdate"]
    shown |= {"address": address(fields), **NOTHING_DONE}
    metadata = {name[len(METADATA) :]: value for name, value in fields.items() if name.startswith(METADATA)}
    if metadata:
        shown["metadata"] = metadata
    shown |= {"system_metadata": {}, "created_at": exact(row["created_at"])}
    if row["updated_at"] != row["created_at"]:
        shown["updated_at"] = exact(row["updated_at"])
    return shown | {"object": "customer"}


def address(fields: Mapping[str, msgspec.Raw]) -> Mapping[str, msgspec.Raw] | None:
    """The parts that were ever set; None when no part has a value."""
    parts = {part: fields[f"address.{part}"] for part in ADDRESS if f"address.{part}" in fields}
    return parts if any(bytes(value) != NULL for value in parts.values()) else None


def customer_list(page: Page) -> bytes:
    """As wire.CustomerList."""
    shown = {
        "object": "list",
        "data_ref": "customers",
        "customers": [customer(row) for row in page.rows],
        "total": page.total,
        "has_more": page.more,
    }
    return msgspec.json.encode(shown)


def wanted(asked: CustomersAsked, account_id: int) -> RecordQuery:
    """Raises Refused("invalid") for a moment that is none."""
    texts = {name: getattr(asked, name) for name in TEXTS}
    moments = {name: moment(getattr(asked, name), spelled) for name, spelled in MOMENTS.items()}
    filters = {name: value for name, value in {**texts, **moments}.items() if value is not None}
    order = Order(FIELDS[asked.order.removeprefix("-")], ascending=not asked.order.startswith("-"))
    return RecordQuery(account_id, "customers", filters, order, moment(asked.starting_after, "starting_after"))


def moment(text: str | None, name: str) -> datetime | None:
    return None if text is None else moment_from(text, name)
