"""What somebody chooses for a column, and what is wrong with it."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.errors import Complaint, shorten_name
from app.formats.characters import UNSTORABLE, spell_heading
from app.mappings.conversions import CONVERSIONS
from app.mappings.declaring.fitting import check_column, find_field
from app.mappings.mapping import Conversions, MappedColumn
from app.mappings.nearest import NearestName
from app.resources.schema import Resource

IGNORED: Final = ""
# Choices of a draft that say what becomes of columns, taken back where another type or template is chosen. `basedOn`
# is the template that `mapping` began with; `settled`: what `mappingId` does not name is left open, and not guessed.
# `copied`: `mapping` is that of an earlier import.
FORGOTTEN: Final = {"mapping": None, "basedOn": None, "settled": None, "copied": None}
NO_NAMES: Final = NearestName([])


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """What becomes of a column: it fills a field, it is IGNORED, or that is left open (None)."""

    field: str | None = None
    conversions: Conversions = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckedChoice:
    """A choice without what is wrong with it. The path of a complaint is `field` or the name of a conversion, a dash
    and the index of the column."""

    choice: ColumnChoice
    complaints: tuple[Complaint, ...] = ()


def check_choice(
    index: int, name: str, field_id: str | None, conversions: Mapping[str, Any], resource: Resource
) -> CheckedChoice:
    """`name` is what people call the column. Conversions that are not for the type of the field are left out in
    silence: they belong to the field that was chosen before."""
    if not field_id:
        return CheckedChoice(ColumnChoice(field_id))
    found = None if UNSTORABLE.search(field_id) else find_field(field_id, resource)
    if found is None or found.read_only:
        complaint = Complaint(
            f"field-{index}", f"`{spell_heading(name)}` cannot become `{spell_heading(shorten_name(field_id))}`"
        )
        return CheckedChoice(ColumnChoice(), (complaint,))
    kept = {each: value for each, value in conversions.items() if suits(each, found.type)}
    complaints = list(find_mistakes(index, name, kept))
    wrong = {complaint.path.partition("-")[0] for complaint in complaints}
    choice = ColumnChoice(field_id, {each: value for each, value in kept.items() if each not in wrong})
    misfit = next(check_column(MappedColumn(name, field_id, None, choice.conversions), resource, NO_NAMES), None)
    if misfit:
        told = next((each for each in choice.conversions if misfit.reason.startswith(f"`{each}`")), "field")
        complaints.append(Complaint(f"{told}-{index}", misfit.reason))
        choice = ColumnChoice(field_id, {each: value for each, value in choice.conversions.items() if each != told})
    return CheckedChoice(choice, tuple(complaints))


def suits(conversion: str, type: str) -> bool:
    """Whether a conversion is for fields of this type."""
    types = CONVERSIONS[conversion].types
    return types is None or type in types


def find_mistakes(index: int, name: str, conversions: Mapping[str, Any]) -> Iterator[Complaint]:
    for each, value in conversions.items():
        if mistake := CONVERSIONS[each].find_mistake(value):
            yield Complaint(f"{each}-{index}", f"`{each}` of column `{spell_heading(name)}` {mistake}")
