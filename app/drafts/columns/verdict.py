"""What prevents an import with the chosen columns, and what is worth a warning."""

from collections.abc import Iterator
from typing import Final

from app.drafts.columns.review import ColumnReview, ReviewedColumn
from app.errors import Complaint, join_choices
from app.formats.characters import spell_heading
from app.mappings.columns import join_names
from app.resources.schema import UnknownColumns

NO_KEY: Final = "No column becomes {}, by which records are told apart. Choose it for one of the columns"
NO_FIELD: Final = "No column becomes a field of `{}`. Choose one for at least one column"
REQUIRED: Final = "No column becomes {}, which every record must have. Choose it for one of the columns"
TWICE: Final = "Columns {} become `{}` alike. Choose another field for one of them, or ignore it"
ONLY_KEY: Final = (
    "Only the key is mapped, so nothing would change in records that exist. Choose what the other columns become, or "
    "ignore them"
)
NOT_TAKEN: Final = (
    "Columns without a field stop the import, as was chosen for unknown columns. Choose a field for {}, or ignore it"
)
LEFT_OPEN: Final[dict[UnknownColumns, str]] = {
    "ignore": "An import ignores what is left open: {}",
    "keep": "An import keeps what is left open as text, under its own name: {}",
}
KEY_ALONE: Final = "Only the key is mapped: records that exist stay as they are, and new ones have nothing else"
NEW_ONES: Final = "No column becomes {}. Rows that would make a new record fail without it"
ABSENT: Final = "The template names columns that this file does not have: {}"


def find_blocks(review: ColumnReview, unknown: UnknownColumns | None) -> Iterator[Complaint]:
    """Why an import with this would be refused, or would come to nothing. `unknown` is what was chosen to happen to
    columns without a field; None: as the type declares. The path of a complaint is that of `check_choice`, or ""."""
    yield from find_lacking(review)
    yield from find_doubles(review)
    opened = review.list_in("open")
    if opened and maps_only_keys(review):
        yield Complaint(f"field-{opened[0].index}", ONLY_KEY)
    if opened and (unknown or review.resource.unknown_columns) == "error":
        names = join_names(column.name for column in opened)
        yield Complaint(f"field-{opened[0].index}", NOT_TAKEN.format(names))


def find_lacking(review: ColumnReview) -> Iterator[Complaint]:
    """The fields without which no import begins."""
    for fields in review.preview.missing:
        words = join_choices(f"`{each}`" for each in fields)
        yield Complaint("", (NO_KEY if fields == review.resource.keys else REQUIRED).format(words))
    if not review.list_in("mapped") and review.resource.generates_key:
        yield Complaint("", NO_FIELD.format(review.resource.name))


def find_doubles(review: ColumnReview) -> Iterator[Complaint]:
    """Columns that become one field, each field once."""
    told: set[str] = set()
    for column in review.columns:
        field = column.choice.field or ""
        if column.rivals and field not in told:
            told.add(field)
            yield Complaint(f"field-{column.index}", TWICE.format(name_all(column), field))


def name_all(column: ReviewedColumn) -> str:
    return join_choices((f"`{spell_heading(name)}`" for name in (column.name, *column.rivals)), word="and")


def maps_only_keys(review: ColumnReview) -> bool:
    fields = {column.choice.field for column in review.list_in("mapped")}
    return bool(fields) and fields <= set(review.resource.keys) and not review.body.get("constants")


def find_warnings(review: ColumnReview, unknown: UnknownColumns | None) -> Iterator[str]:
    """What is no mistake, and may surprise somebody."""
    opened = review.list_in("open")
    filled = {column.choice.field for column in review.columns} | dict(review.body.get("constants", {})).keys()
    told = {field for fields in review.preview.missing for field in fields} | set(review.resource.keys)
    lacking = [each.id for each in review.resource.fields if each.required and each.id not in filled | told]
    if lacking:
        yield NEW_ONES.format(join_names(lacking))
    if maps_only_keys(review) and not opened:
        yield KEY_ALONE
    rule = unknown or review.resource.unknown_columns
    if opened and rule in LEFT_OPEN:
        yield LEFT_OPEN[rule].format(join_names(column.name for column in opened))
    if review.absent:
        yield ABSENT.format(join_names(review.absent))
