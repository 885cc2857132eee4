"""A column of the file as a row of the page: its first values, what it becomes, and how that would be stored."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.dashboard.views.columns.conversions import ConversionField, list_conversions, sum_up
from app.dashboard.words import count_of, join_words
from app.drafts.columns.review import ReviewedColumn
from app.imports.stored_values import StoredValue
from app.mappings.declaring.fitting import find_field
from app.resources.schema import Resource

MADE_HERE: Final = "Only ids that this service has made are known: rows with another one fail"
HOW_READ: Final = "Open “How it is read” and say how these values are written"
NOTATIONS: Final = ("decimalComma", "dateFormat")  # conversions without which right values can look wrong
IGNORE: Final = "-"  # what the select sends for a column that is left out; "" leaves it open
FITS, MAPPED, IGNORED, UNSURE, WRONG, OPEN = "Fits", "Mapped", "Ignored", "Look at it", "Does not fit", "Needs you"


@dataclass(frozen=True, slots=True)
class ColumnVerdict:
    """`tone` is that of the badge. `stored` has those values that would be stored in another form than they are sent
    in, each with what is stored."""

    tone: str
    words: str
    sentences: Sequence[str] = ()
    stored: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """`chosen` is the value of the select, and `own` a choice that is not among the type's fields."""

    index: int
    name: str
    samples: Sequence[str]
    chosen: str
    own: str
    reason: str
    conversions: Sequence[tuple[str, ConversionField]]
    conversions_in_short: str
    verdict: ColumnVerdict


def show_row(column: ReviewedColumn, resource: Resource, rows: int) -> ColumnRow:
    """`rows` of the file were looked at."""
    choice = column.choice
    field = find_field(choice.field, resource) if choice.field else None
    chosen = "" if choice.field is None else choice.field or IGNORE
    kept = resource.unknown_field_id(column.name) if resource.unknown_columns == "keep" else ""
    conversions = list_conversions(field.type) if field else []
    verdict = judge(column, rows)
    if verdict.words == WRONG and any(name in NOTATIONS and name not in choice.conversions for name, _ in conversions):
        verdict = replace(verdict, sentences=[*verdict.sentences, HOW_READ])
    own = chosen if field and all(each.id != chosen for each in resource.fields) else kept
    return ColumnRow(
        column.index,
        column.name,
        column.preview.first_values,
        chosen,
        own if own and find_field(own, resource) else "",
        column.guess.name.why if column.guess and column.guess.field.id == choice.field else "",
        conversions,
        sum_up(choice.conversions),
        verdict,
    )


def judge(column: ReviewedColumn, rows: int) -> ColumnVerdict:
    if column.state == "ignored":
        return ColumnVerdict("idle", IGNORED)
    if column.state == "open":
        return ColumnVerdict("warn", OPEN, ["Choose what it becomes, or ignore it"])
    stored = tuple(list_changed(column))
    if column.rivals:
        others = join_words([f"“{name}”" for name in column.rivals])
        becomes = "becomes" if len(column.rivals) == 1 else "become"
        return ColumnVerdict("bad", OPEN, [f"{others} {becomes} the same field"], stored)
    if sentences := list(tell_wrong(column, rows)):
        return ColumnVerdict("bad", WRONG, sentences, stored)
    if column.unsure:
        guessed = column.guess and column.guess.field.id == column.choice.field
        return ColumnVerdict("warn", UNSURE, [column.guess.name.why if column.guess and guessed else MADE_HERE], stored)
    return ColumnVerdict("ok", FITS if column.preview.first_values else MAPPED, (), stored)


def tell_wrong(column: ReviewedColumn, rows: int) -> Iterator[str]:
    """Why values cannot be stored: of the first rows, each reason once with the number of rows."""
    for group in column.problems:
        yield f"{count_of(group['count'], 'row')} of the first {rows:,}: {group['message']}"
    if not column.problems:
        reasons = dict.fromkeys(each.wrong.message for each in column.preview.stored if each.wrong)
        yield from reasons


def list_changed(column: ReviewedColumn) -> Iterator[tuple[str, str]]:
    for sent, stored in zip(column.preview.first_values, column.preview.stored, strict=True):
        shown = tell_stored(stored)
        if not stored.wrong and shown != sent:
            yield sent, shown


def tell_stored(value: StoredValue) -> str:
    """What a field would hold, as people read it."""
    if not value.json:
        return "stays as it is"
    if value.json == "null":
        return "cleared"
    return str(json.loads(value.json)) if value.json.startswith('"') else value.json
