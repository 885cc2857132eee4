"""Proposes which column of a file fills which field: by the names of the columns, and by what their cells look like."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.formats.characters import spell_heading
from app.mappings.suggesting.field_names import EXACT, WEAK, FieldNames, KnownName
from app.mappings.suggesting.guesses import guess_conversions, share_of_fitting
from app.resources.schema import Field, Resource

LEAST: Final = 0.5  # what is less sure is left open
UNFIT: Final = 0.5  # is multiplied for a column whose values the field does not take
REPEATED: Final = 0.7  # for a key whose values are repeated or missing
FITTING_SHARE: Final = 0.5  # of the values that a field has to take
ALIKE_SHARE: Final = 0.9  # of the values that have to look like something where the name says nothing
LEAST_VALUES: Final = 3  # that say what a column looks like
MOST_VALUES: Final = 50  # of a column that are looked at
MOST_RECOGNISABLE: Final = 10  # fields that the values of each column without a name are compared with
LOOKS: Final = {"email": "e-mail addresses", "url": "web addresses", "phone": "phone numbers", "enum": "its options"}


@dataclass(frozen=True, slots=True)
class ColumnCells:
    """A column of the file: its position, from 0, and what it holds in the first rows."""

    heading: str
    index: int
    cells: Sequence[str] = ()

    @property
    def values(self) -> list[str]:
        """The first of the cells that are filled."""
        return [cell for cell in self.cells if cell.strip()][:MOST_VALUES]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a column means, as far as it can be told from the file."""

    column: ColumnCells
    name: KnownName

    @property
    def field(self) -> Field:
        return self.name.field

    def doubt(self, confidence: float, but: str) -> "Proposal":
        return replace(self, name=replace(self.name, confidence=confidence, why=f"{self.name.why}, but {but}"))


def propose_fields(
    columns: Sequence[ColumnCells], resource: Resource, settled: Mapping[int, str] | None = None
) -> dict[int, Proposal]:
    """The field that each column probably fills, by the column's index. No field is filled twice, and a column that is
    not sure enough is left open. `settled` are the fields of columns that need no guess, by index."""
    settled = settled or {}
    fields = [field for field in resource.fields if not field.read_only and field.id not in settled.values()]
    unsettled = [column for column in columns if column.index not in settled]
    found = [doubt_values(each, resource) for each in find_by_name(unsettled, fields, resource)]
    found = sorted((each for each in found if each.name.confidence >= LEAST), key=order)
    chosen = doubt_rivals(choose_best(found), found, resource)
    chosen |= move_to_required(chosen, found, settled)
    return chosen | find_by_values(unsettled, fields, chosen)


def find_by_name(columns: Sequence[ColumnCells], fields: Sequence[Field], resource: Resource) -> Iterator[Proposal]:
    # An id that the service makes is proposed for a column of exactly that name alone. Rows with another id fail.
    names = FieldNames([field for field in fields if field.id != resource.made_field], resource)
    settled = {field.id for field in resource.fields if not field.read_only} - {field.id for field in fields}
    for column in columns:
        exact = resource.field(column.heading)
        if exact is None or exact.read_only or not may_be_made_here(column, exact, resource):
            yield from (Proposal(column, known) for known in names.look_up(column.heading))
        elif exact.id not in settled:
            yield Proposal(column, KnownName(exact, "exact", EXACT, f"`{exact.id}` is the id of the field"))


def may_be_made_here(column: ColumnCells, field: Field, resource: Resource) -> bool:
    """Whether a column may hold the ids that this service makes, if its field does: other systems call theirs `id`."""
    surrogate = resource.surrogate
    if surrogate is None or field.id != surrogate.id:
        return True
    return bool(column.values) and all(value.strip().startswith(surrogate.prefix) for value in column.values)


def doubt_values(proposal: Proposal, resource: Resource) -> Proposal:
    """The proposal, less sure if the values speak against it."""
    name, values = proposal.name, proposal.column.values
    if name.reason == "exact":
        return proposal
    fitting = share_of_fitting(values, proposal.field)
    if fitting < FITTING_SHARE and not guess_conversions(proposal.field, values):
        return proposal.doubt(name.confidence * UNFIT, "most of the values are not valid for the field")
    if proposal.field.id in resource.keys and not are_keys(proposal.column.cells):
        return proposal.doubt(name.confidence * REPEATED, "the values are repeated or missing")
    return proposal


def are_keys(cells: Sequence[str]) -> bool:
    """Whether most rows have a value that no other row has. Two rows say nothing."""
    return len(cells) < LEAST_VALUES or len({*cells} - {""}) > len(cells) / 2


def order(proposal: Proposal) -> tuple[float, int, int]:
    return -proposal.name.confidence, proposal.name.rank, proposal.column.index


def choose_best(found: Sequence[Proposal]) -> dict[int, Proposal]:
    """`found` is sorted, the surest first."""
    chosen: dict[int, Proposal] = {}
    fields = set()
    for each in found:
        if each.column.index not in chosen and each.field.id not in fields:
            chosen[each.column.index] = each
            fields.add(each.field.id)
    return chosen


def doubt_rivals(chosen: Mapping[int, Proposal], found: Sequence[Proposal], resource: Resource) -> dict[int, Proposal]:
    """Makes a key less sure if another column may be the key as well."""
    doubted = dict(chosen)
    for index, each in chosen.items():
        if each.field.id not in resource.keys or each.name.reason == "exact":
            continue
        rivals = [other for other in found if other.field.id == each.field.id and other.column.index not in chosen]
        if rivals:
            rival = spell_heading(rivals[0].column.heading)
            doubted[index] = each.doubt(min(each.name.confidence, WEAK), f"`{rival}` may be meant as well")
    return doubted


def move_to_required(
    chosen: Mapping[int, Proposal], found: Sequence[Proposal], settled: Mapping[int, str]
) -> dict[int, Proposal]:
    """Columns that fill a required field in place of the optional one that their name suits better: in a list of
    articles without names the description is the name."""
    filled = {each.field.id for each in chosen.values()} | set(settled.values())
    moved: dict[int, Proposal] = {}
    for each in found:
        index = each.column.index
        if each.field.required and each.field.id not in filled and not chosen[index].field.required:
            moved[index] = each
            filled.add(each.field.id)
    return moved


def find_by_values(
    columns: Sequence[ColumnCells], fields: Sequence[Field], chosen: Mapping[int, Proposal]
) -> dict[int, Proposal]:
    """Columns whose names say nothing, if their values can belong to one field alone, and no other column's can."""
    unfilled = list_recognisable(fields, {each.field.id for each in chosen.values()})
    alike = [
        (column, field)
        for column in columns
        if column.index not in chosen and len(column.values) >= LEAST_VALUES
        for field in unfilled
        if looks_like(column.values, field)
    ]
    columns_of = Counter(field.id for _, field in alike)
    fields_of = Counter(column.index for column, _ in alike)
    return {
        column.index: Proposal(column, KnownName(field, "values", WEAK, f"The values look like {LOOKS[field.type]}"))
        for column, field in alike
        if columns_of[field.id] == fields_of[column.index] == 1
    }


def list_recognisable(fields: Sequence[Field], filled: Collection[str]) -> list[Field]:
    """The fields whose values look like nothing else. Of two e-mail addresses nobody could say which is meant."""
    unfilled = [field for field in fields if field.type in LOOKS and field.id not in filled]
    types = Counter(field.type for field in unfilled)
    return [field for field in unfilled if field.type == "enum" or types[field.type] == 1][:MOST_RECOGNISABLE]


def looks_like(values: Sequence[str], field: Field) -> bool:
    if field.type == "phone" and not all(value.strip().startswith("+") for value in values):
        return False  # any number could be one
    return share_of_fitting(values, field) >= ALIKE_SHARE
