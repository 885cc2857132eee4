"""Turns records into Voucherify's customers, and the query of a list of them into a search."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from app.resources.paths import read_members
from app.storage.listing import Filter, Order, OrderField, Page, RecordQuery
from app.surfaces.voucherify.translate.times import format_exactly, parse_time
from app.surfaces.voucherify.wire.customers import CustomerQuery

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

TIMES: Final[Mapping[Filter, str]] = {
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


def customer_from_record(row: Mapping[Any, Any]) -> dict[str, object]:
    """The shape of wire.Customer. Values stay the JSON text that is stored: no number becomes a float."""
    fields = read_members(row["data"])
    # A field that was cleared is left out, as if it had never been set.
    plain: dict[str, object] = {name: fields[name] for name in PLAIN if name in fields and bytes(fields[name]) != NULL}
    body: dict[str, object] = {"id": row["key"], **plain}
    if "birthdate" in plain:
        body["birthday"] = plain["birthdate"]
    body |= {"address": build_address(fields), **NOTHING_DONE}
    metadata = {name[len(METADATA) :]: value for name, value in fields.items() if name.startswith(METADATA)}
    if metadata:
        body["metadata"] = metadata
    body |= {"system_metadata": {}, "created_at": format_exactly(row["created_at"])}
    if row["updated_at"] != row["created_at"]:
        body["updated_at"] = format_exactly(row["updated_at"])
    return body | {"object": "customer"}


def build_address(fields: Mapping[str, msgspec.Raw]) -> Mapping[str, msgspec.Raw] | None:
    """The parts that were ever set, or None if no part has a value."""
    parts = {part: fields[f"address.{part}"] for part in ADDRESS if f"address.{part}" in fields}
    return parts if any(bytes(value) != NULL for value in parts.values()) else None


def begin_list(rows: Iterable[Mapping[Any, Any]]) -> bytes:
    """The shape of wire.CustomerList up to the last of these customers. Blocking."""
    return b'{"object":"list","data_ref":"customers","customers":[' + b",".join(map(render_customer, rows))


def end_list(page: Page) -> bytes:
    """What follows the customers."""
    return b"]," + msgspec.json.encode({"total": page.total, "has_more": page.more})[1:]


def render_customer(row: Mapping[Any, Any]) -> bytes:
    """The shape of wire.Customer. Blocking: it takes as long as the record is large."""
    return msgspec.json.encode(customer_from_record(row))


def build_record_query(query: CustomerQuery, account_id: int) -> RecordQuery:
    """Raises Refused("invalid") for a time that cannot be read."""
    texts = {name: getattr(query, name) for name in TEXTS}
    times = {name: parse_optional_time(getattr(query, name), parameter) for name, parameter in TIMES.items()}
    filters = {name: value for name, value in {**texts, **times}.items() if value is not None}
    order = Order(FIELDS[query.order.removeprefix("-")], ascending=not query.order.startswith("-"))
    return RecordQuery(
        account_id, "customers", filters, order, parse_optional_time(query.starting_after, "starting_after")
    )


def parse_optional_time(text: str | None, parameter: str) -> datetime | None:
    return None if text is None else parse_time(text, parameter)
