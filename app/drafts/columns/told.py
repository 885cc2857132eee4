"""What becomes of columns as long as nobody has chosen it: as a mapping tells, or as the file suggests."""

from collections.abc import Iterable, Mapping

from app.drafts.columns.choice import IGNORED, ColumnChoice
from app.imports.preview import PreviewColumn
from app.mappings.declaring.fitting import find_field
from app.mappings.headings import ColumnFinder, FoundField
from app.mappings.mapping import Mapping as ColumnMapping
from app.mappings.suggesting.field_names import HIGH
from app.mappings.suggesting.guesses import guess_conversions
from app.mappings.suggesting.proposals import ColumnCells
from app.resources.schema import Resource


def find_each(mapping: ColumnMapping, cells: Iterable[ColumnCells], resource: Resource) -> dict[int, FoundField]:
    """What the mapping says of each column, by index."""
    finder = ColumnFinder(mapping, resource)
    found = {each.index: finder.find(each.heading, each.index) for each in cells}
    return {index: each for index, each in found.items() if each is not None}


def tell_choices(mapping: ColumnMapping, cells: Iterable[ColumnCells], resource: Resource) -> dict[int, ColumnChoice]:
    """The same as choices."""
    found = find_each(mapping, cells, resource)
    return {
        index: ColumnChoice(each.field.id if each.field else IGNORED, each.conversions)
        for index, each in found.items()
        if each.field is None or not each.field.read_only
    }


def settle_choices(
    guesses: Iterable[PreviewColumn], told: Mapping[int, ColumnChoice], *, settled: bool
) -> dict[int, ColumnChoice]:
    """What is told of each column, or else guessed, unless everything is settled. No guess takes a field that is told
    of another column. What is guessed of how cells are converted counts for what is told as well."""
    taken = {choice.field for choice in told.values()}
    choices = {}
    for each in guesses:
        index, proposal = each.column.index, None if settled else each.proposal
        guessed = ColumnChoice(proposal.field.id, each.conversions) if proposal else left_alone(each.column)
        said = told.get(index)
        if said is None:
            choices[index] = left_alone(each.column) if guessed.field in taken else guessed
        else:
            choices[index] = guessed if guessed.field == said.field else said
    return choices


def convert_changed(
    chosen: Mapping[int, ColumnChoice],
    before: Mapping[int, ColumnChoice],
    cells: Iterable[ColumnCells],
    resource: Resource,
) -> dict[int, ColumnChoice]:
    """What is `chosen`. Where that is another field than `before`, and nothing is said of how its cells are converted,
    that is guessed."""
    values = {each.index: each.values for each in cells}
    converted = dict(chosen)
    for index, choice in chosen.items():
        field = find_field(choice.field, resource) if choice.field else None
        if field is None or choice.conversions or index not in values or before[index].field == choice.field:
            continue
        converted[index] = ColumnChoice(choice.field, guess_conversions(field, values[index]))
    return converted


def find_unsure(
    guesses: Iterable[PreviewColumn],
    choices: Mapping[int, ColumnChoice],
    told: Mapping[int, ColumnChoice],
    resource: Resource,
) -> set[int]:
    """Columns that somebody should look at: a guess that is not sure, or a name that says that the column has the ids
    which this service makes, and nothing in it that does. Other systems call theirs `id` as well."""
    guessed = {each.column.index: each.proposal for each in guesses}
    unsure = set()
    for index, choice in choices.items():
        proposal = guessed[index]
        if proposal is None or proposal.field.id != choice.field:
            doubtful = index in told and choice.field == resource.made_field
        else:
            doubtful = index not in told and proposal.name.confidence < HIGH
        unsure |= {index} if doubtful else set()
    return unsure


def left_alone(column: ColumnCells) -> ColumnChoice:
    """A column without a heading holds nothing that an import would miss."""
    return ColumnChoice() if column.heading else ColumnChoice(IGNORED)
