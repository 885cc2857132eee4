"""Records of a type by filters and in an order: a page behind a moment or by its number, and how many there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession

# A type is part of the statement, never a value: only so does the planner see that the type's own index fits.
ListedType = Literal["customers"]
Filter = Literal["email", "city", "name", "created_before", "created_after", "updated_before", "updated_after"]
OrderField = Literal["created_at", "updated_at", "source_id"]

# A record that was never changed has no date of its last change (it is stored as that of its creation).
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

# By the field alone, so that ties are those of the field.
BEHIND = "ORDER BY {column} FETCH FIRST (:limit) ROWS WITH TIES"
NUMBERED = "ORDER BY {order} LIMIT :limit OFFSET :offset"
# In one statement, so that page and counts are of one moment; also an empty page has a row, of nulls and the counts.
# The data becomes text (see records.VIEW) at the end: that of a record which OFFSET passes over need not.
LISTED = """
WITH page AS MATERIALIZED (
    SELECT key, data, created_at, updated_at FROM records WHERE {where} AND {cursor} {cut}
), counted AS MATERIALIZED (
    SELECT count(*) AS total, count(*) FILTER (WHERE {cursor}) AS behind FROM records WHERE {where}
)
SELECT key, data::text AS data, created_at, updated_at, total, behind
FROM counted LEFT JOIN page ON true ORDER BY {order}"""


@dataclass(frozen=True, slots=True)
class Order:
    """By a field, and where that is equal by the key, in the same direction."""

    field: OrderField = "created_at"
    ascending: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records of an account, and in which order. `cursor` leaves out what stands before it: in an order by a
    moment it is that moment (of the last record seen), in any other only what was created earlier is left."""

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
    """key, data (JSON text), created_at, updated_at of each; how many fit the filters; and whether any comes after."""

    rows: tuple[RowMapping, ...]
    total: int
    more: bool


async def page_behind(session: ReadSession, wanted: Wanted, *, limit: int) -> Page:
    """The page behind the cursor. In an order by a moment it is longer than `limit` by the records that share its last
    moment: the next page begins behind that moment."""
    if not wanted.by_moment:
        return await page_numbered(session, wanted, 1, limit=limit)
    return await page(session, wanted, BEHIND, {"limit": limit})


async def page_numbered(session: ReadSession, wanted: Wanted, number: int, *, limit: int) -> Page:
    """The page of that number (the first is 1), of exactly `limit` records as long as there are so many."""
    return await page(session, wanted, NUMBERED, {"limit": limit, "offset": (number - 1) * limit})


async def page(session: ReadSession, wanted: Wanted, cut: str, place: Mapping[str, int]) -> Page:
    column, order = ordered(wanted.order)
    statement = LISTED.format(
        where=conditions(wanted), cursor=cursor(wanted), cut=cut.format(column=column, order=order), order=order
    )
    rows = (await session.execute(text(statement), {**parameters(wanted), **place})).mappings().all()
    shown = tuple(row for row in rows if row["key"] is not None)
    return Page(shown, rows[0]["total"], rows[0]["behind"] > place.get("offset", 0) + len(shown))


def conditions(wanted: Wanted) -> str:
    whose = ("account_id = :account_id", f"type = '{wanted.type}'")
    return " AND ".join([*whose, *(FILTERS[name] for name in wanted.filters)])


def cursor(wanted: Wanted) -> str:
    if wanted.cursor is None:
        return "true"
    column = wanted.order.field if wanted.by_moment else "created_at"
    return f"{column} {'>' if wanted.by_moment and wanted.order.ascending else '<'} :cursor"


def ordered(order: Order) -> tuple[str, str]:
    """The order by the field alone, and the total one."""
    direction = "ASC" if order.ascending else "DESC"
    column = f"{COLUMNS[order.field]} {direction}"
    return column, f"{column}, key {direction}"


def parameters(wanted: Wanted) -> dict[str, object]:
    given: dict[str, object] = {"account_id": wanted.account_id}
    given.update(wanted.filters.items())
    return given if wanted.cursor is None else given | {"cursor": wanted.cursor}
