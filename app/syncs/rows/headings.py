"""Finds which column of an item or filter file fills which field.

Headings count without regard to case and blanks. What the vendor's page lost of the headings of filters was settled by
its idiom: there is a preferred heading, and a fallback for it, also cell by cell.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.errors import Complaint, Refused, describe
from app.formats.detection.report_header import find_report
from app.mappings.columns import Column, find_doubles
from app.mappings.headings import reduce_heading
from app.resources import item_class_values, items
from app.resources.schema import Resource

PRICE: Final = "salesprice"
_match_price = re.compile(rf"{PRICE}0*([0-9]{{1,9}})").fullmatch

# Role of a column in a filter file -> its headings, the preferred one first.
FILTER_HEADINGS: Final[dict[str, tuple[str, ...]]] = {
    "itemClass": ("ClassName", "ItemClass", "Name"),
    "value": ("ClassValue", "ItemClassValue", "Value"),
    "itemCode": ("ItemCode",),
    "sequence": ("Sequence",),
}
OPTIONAL_FILTERS: Final = ("sequence",)


def without_links(resource: Resource, *leave_out: str) -> Resource:
    """The type as files fill it: what names other records is text there, because the sync makes those records."""
    fields = [each for each in resource.fields if each.id not in leave_out]
    return replace(resource, fields=tuple(replace(each, type="text", to="") if each.to else each for each in fields))


ITEMS: Final = without_links(items.RESOURCE, "classValues")
CLASS_VALUES: Final = without_links(item_class_values.RESOURCE)


@dataclass(frozen=True, slots=True)
class ItemColumns:
    """The columns of an item file. `prices` are those of price lists, each with the number of its list as `field`;
    `unknown` are headings that nobody knows."""

    columns: tuple[Column, ...]
    prices: tuple[Column, ...]
    unknown: tuple[str, ...]

    @property
    def code(self) -> int:
        """The index of the item's code."""
        return next(column.index for column in self.columns if column.field == ITEMS.keys[0])


@dataclass(frozen=True, slots=True)
class FilterColumns:
    """The columns of a filter file: for each role of FILTER_HEADINGS the indexes, the preferred one first."""

    indexes: dict[str, tuple[int, ...]]
    unknown: tuple[str, ...]


def find_item_columns(header: Sequence[str]) -> ItemColumns:
    """Raises Refused("invalid") for a header without item codes, and for two columns with one field or price list."""
    by_heading = {reduce(field.id): field for field in ITEMS.fields}
    columns, prices, unknown = [], [], []
    skipped = find_report(header)
    for index, heading in enumerate(header):
        reduced = reduce(heading)
        field, price = by_heading.get(reduced), _match_price(reduced)
        if field is not None:
            columns.append(Column(heading, field.id, index, found="loose"))
        elif price:
            prices.append(Column(heading, price[1], index, found="loose"))
        elif heading and index not in skipped:
            unknown.append(heading)
    complaints = [*find_doubles(columns), *find_double_prices(prices)]
    if not any(column.field == ITEMS.keys[0] for column in columns):
        complaints.append(Complaint("ItemCode", "Column `ItemCode` is required"))
    refuse(complaints)
    return ItemColumns(tuple(columns), tuple(prices), tuple(unknown))


def find_filter_columns(header: Sequence[str]) -> FilterColumns:
    """Raises Refused("invalid") for a header without class, value or item code, and for two columns of one name."""
    reduced = [reduce(heading) for heading in header]
    known = {reduce(heading) for headings in FILTER_HEADINGS.values() for heading in headings}
    named = [Column(each, reduce(each), index) for index, each in enumerate(header) if reduce(each) in known]
    indexes = {
        role: tuple(reduced.index(heading) for heading in map(reduce, headings) if heading in reduced)
        for role, headings in FILTER_HEADINGS.items()
    }
    complaints = [*find_doubles(named), *find_missing(indexes)]
    refuse(complaints)
    skipped = find_report(header)
    unknown = [each for index, each in enumerate(header) if each and reduce(each) not in known and index not in skipped]
    return FilterColumns(indexes, tuple(unknown))


def reduce(heading: str) -> str:
    """What counts of a heading: no case, no blanks, no characters that nobody sees."""
    return reduce_heading(heading).replace(" ", "")


def find_double_prices(prices: Iterable[Column]) -> Iterator[Complaint]:
    first: dict[str, Column] = {}
    for column in prices:
        before = first.setdefault(column.field, column)
        if before is not column:
            both = " and ".join(f"`{each.heading}` (column {each.index + 1})" for each in (before, column))
            yield Complaint(column.heading, f"Two columns fill price list {column.field}: {both}")


def find_missing(indexes: dict[str, tuple[int, ...]]) -> Iterator[Complaint]:
    for role, headings in FILTER_HEADINGS.items():
        if not indexes[role] and role not in OPTIONAL_FILTERS:
            names = " or ".join(f"`{heading}`" for heading in headings)
            yield Complaint(headings[0], f"Column {names} is required")


def refuse(complaints: Sequence[Complaint]) -> None:
    if complaints:
        raise Refused("invalid", describe(complaints), list(complaints))
