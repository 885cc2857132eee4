"""Lists records of a type by filters and in an order: a page after a moment or by its number, and the total."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import text

from app.storage.database import ReadSession
from app.storage.records import PIECE_BYTES

# The type is part of the statement and not a parameter: otherwise the planner does not use the type's own index, whose
# predicate no other statement has (0045).
ListedType = Literal["customers"]
Filter = Literal["email", "city", "name", "created_before", "created_after", "updated_before", "updated_after"]
OrderField = Literal["created_at", "updated_at", "source_id"]

# A record that was never changed has no date of change: it is stored as the date of creation.
FILTERS: Final[Mapping[Filter, str]] = {
    "email": "lower(data ->> 'email') = lower(:email)",
    "city": "data ->> 'address.city' = :city",
    "name": "data ->> 'name' = :name",
    "created_before": "created_at < :created_before",
    "created_after": "created_at > :created_after",
    "updated_before": "updated_at <> created_at AND updated_at < :updated_before",
    "updated_after": "updated_at <> created_at AND updated_at > :updated_after",
}
COLUMNS: Final[Mapping[OrderField, str]] = {
    "created_at": "created_at",
    "updated_at": "updated_at",
    "source_id": "data ->> 'source_id' COLLATE \"C\"",
}

# By the field alone, so that WITH TIES means ties of the field.
AFTER = "ORDER BY {column} FETCH FIRST (:limit) ROWS WITH TIES"
NUMBERED = "ORDER BY {order} LIMIT :limit OFFSET :offset"
# One statement, so that page and counts belong to one moment. An empty page has one row, of nulls and the counts. The
# data becomes text (see records.VIEW) only at the end, so that records passed over by OFFSET cost nothing, and only as
# long as the text of the page has not more than PIECE_BYTES.
LISTED = """
WITH page AS MATERIALIZED (
    SELECT key, data, created_at, updated_at FROM records WHERE {where} AND {cursor} {limit_clause}
), counted AS MATERIALIZED (
    SELECT count(*) AS total, count(*) FILTER (WHERE {cursor}) AS remaining FROM records WHERE {where}
)
SELECT key, created_at, updated_at, total, remaining, CASE
    WHEN sum(octet_length(data::text)) OVER (ORDER BY {order} ROWS UNBOUNDED PRECEDING) <= PIECE_BYTES
    THEN data::text END AS data
FROM counted LEFT JOIN page ON true ORDER BY {order}""".replace("PIECE_BYTES", str(PIECE_BYTES))


@dataclass(frozen=True, slots=True)
class Order:
    """By a field, and by the key where the field is equal, both in the same direction."""

    field: OrderField = "created_at"
    ascending: bool = False


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Which records of an account, and in which order. `cursor` is a moment: in an order by a moment it is that of the
    last record seen, and what comes after it is listed; in any other order only what was created before it is
    listed."""

    account_id: int
    type: ListedType
    filters: Mapping[Filter, str | datetime]
    order: Order = Order()
    cursor: datetime | None = None

    @property
    def by_moment(self) -> bool:
        return self.order.field != "source_id"


@dataclass(frozen=True, slots=True)
class Page:
    """key, data (JSON text), created_at and updated_at of each record; how many match the filters; whether more
    follow. From the record on that goes beyond PIECE_BYTES, data is None: such records are read one by one."""

    rows: tuple[Mapping[Any, Any], ...]
    total: int
    more: bool


async def list_after_cursor(session: ReadSession, query: RecordQuery, *, limit: int) -> Page:
    """The page after the cursor. In an order by a moment it is longer than `limit` by the records that share its last
    moment, because the next page begins after that moment."""
    if not query.by_moment:
        return await list_page(session, query, 1, limit=limit)
    return await read_page(session, query, AFTER, {"limit": limit})


async def list_page(session: ReadSession, query: RecordQuery, number: int, *, limit: int) -> Page:
    """The page with this number (the first is 1), of exactly `limit` records as long as there are so many."""
    return await read_page(session, query, NUMBERED, {"limit": limit, "offset": (number - 1) * limit})


async def read_page(session: ReadSession, query: RecordQuery, limit_clause: str, limits: Mapping[str, int]) -> Page:
    column, order = order_clauses(query.order)
    statement = LISTED.format(
        where=where_clause(query),
        cursor=cursor_clause(query),
        limit_clause=limit_clause.format(column=column, order=order),
        order=order,
    )
    rows = (await session.execute(text(statement), {**parameters_of(query), **limits})).mappings().all()
    listed = tuple(row for row in rows if row["key"] is not None)
    return Page(listed, rows[0]["total"], rows[0]["remaining"] > limits.get("offset", 0) + len(listed))


def where_clause(query: RecordQuery) -> str:
    owner = ("account_id = :account_id", f"type = '{query.type}'", f"starts_with(type, '{query.type}')")
    return " AND ".join([*owner, *(FILTERS[name] for name in query.filters)])


def cursor_clause(query: RecordQuery) -> str:
    if query.cursor is None:
        return "true"
    column = query.order.field if query.by_moment else "created_at"
    return f"{column} {'>' if query.by_moment and query.order.ascending else '<'} :cursor"


def order_clauses(order: Order) -> tuple[str, str]:
    """The order by the field alone, and the order by field and key."""
    direction = "ASC" if order.ascending else "DESC"
    column = f"{COLUMNS[order.field]} {direction}"
    return column, f"{column}, key {direction}"


def parameters_of(query: RecordQuery) -> dict[str, object]:
    given: dict[str, object] = {"account_id": query.account_id}
    given.update(query.filters.items())
    return given if query.cursor is None else given | {"cursor": query.cursor}
