"""The page on which somebody says what columns become: which rows it shows, and what stands above them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.dashboard.views.columns.conversions import write_values
from app.dashboard.views.columns.rows import IGNORE, ColumnRow, show_row
from app.dashboard.words import write_number
from app.drafts.columns.review import ColumnReview, ReviewedColumn
from app.resources.schema import Field, Resource

ROWS: Final = 100  # of one page
MOST_OPTIONS: Final = 100  # of a select; where a type has more fields, their names are typed


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields of the type below one heading of a select: value and words."""

    title: str
    options: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ColumnsPage:
    """`number` counts pages from 1, and there are `pages`. `typed`: fields are typed, because there are too many.
    `with_values`: the file has rows."""

    rows: Sequence[ColumnRow]
    groups: Sequence[FieldGroup]
    typed: bool
    summary: str
    needy: int
    only: bool
    number: int
    pages: int
    with_values: bool


def show_columns(review: ColumnReview, *, number: int, only: bool) -> ColumnsPage:
    """The page with this number, of all columns or `only` of those that need somebody."""
    listed = review.needy if only else list(review.columns)
    pages = max(1, -(-len(listed) // ROWS))
    number = min(max(1, number), pages)
    shown = listed[(number - 1) * ROWS : number * ROWS]
    return ColumnsPage(
        [show_row(each, review.resource, review.preview.rows) for each in shown],
        group_fields(review.resource),
        sum(not each.read_only for each in review.resource.fields) > MOST_OPTIONS,
        sum_up_columns(review),
        len(review.needy),
        only,
        number,
        pages,
        any(each.preview.first_values for each in shown),
    )


def sum_up_columns(review: ColumnReview) -> str:
    """ "4 mapped, 1 ignored. 1 needs you" """
    needy = len(review.needy)
    parts = [f"{write_number(len(review.list_in('mapped')))} mapped"]
    if ignored := len(review.list_in("ignored")):
        parts.append(f"{write_number(ignored)} ignored")
    if opened := len(review.list_in("open")):
        parts.append(f"{write_number(opened)} left open")
    told = ", ".join(parts)
    return f"{told}. {write_number(needy)} {'needs' if needy == 1 else 'need'} you" if needy else told


def group_fields(resource: Resource) -> list[FieldGroup]:
    fields = [each for each in resource.fields if not each.read_only]
    keys = [each for each in fields if each.id in resource.keys]
    required = [each for each in fields if each.required and each not in keys]
    others = [each for each in fields if each not in keys and each not in required]
    groups = (("Key", keys), ("Required", required), ("Other fields", others))
    return [FieldGroup(title, list(map(name_field, each))) for title, each in groups if each]


def name_field(field: Field) -> tuple[str, str]:
    named = field.label and field.label.casefold() != field.id.casefold()
    return field.id, f"{field.id} · {field.label}" if named else field.id


def write_form(columns: Sequence[ReviewedColumn]) -> dict[str, str]:
    """What is chosen as the fields of the form."""
    values: dict[str, str] = {}
    for each in columns:
        chosen = each.choice.field
        values[f"field-{each.index}"] = "" if chosen is None else chosen or IGNORE
        values |= write_values(each.choice.conversions, each.index)
    return values
