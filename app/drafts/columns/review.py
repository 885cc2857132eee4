"""Looks at a draft's file with what was chosen for its columns: how it would be stored, and what needs somebody."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from app.declarations.types import load_resource
from app.drafts.columns.choice import ColumnChoice
from app.drafts.columns.told import convert_changed, find_each, find_unsure, left_alone, settle_choices, tell_choices
from app.drafts.draft import Draft
from app.drafts.facts import FileFacts
from app.drafts.file import read_head
from app.errors import Complaint, Refused
from app.formats.header import name_position
from app.imports.plan import ReadOptions
from app.imports.preview import Preview, PreviewColumn, preview_columns, propose_columns, read_beginning
from app.imports.preview_json import map_columns
from app.imports.sources.head import FileHead
from app.mappings.declaring.declaration import Complaints, read_columns, read_constants
from app.mappings.declaring.fitting import find_field
from app.mappings.declaring.requested import DEFAULT_MAPPING
from app.mappings.headings import find_absent
from app.mappings.mapping import DEFAULT
from app.mappings.mapping import Mapping as ColumnMapping
from app.mappings.suggesting.field_names import EXACT, KnownName
from app.mappings.suggesting.proposals import ColumnCells, Proposal
from app.mappings.templates.stored import StoredTemplate, find_template
from app.resources.schema import Resource
from app.runtime import Runtime

NOT_READ: Final = "Nothing of the file has been read yet, so nobody knows its columns"
State = Literal["mapped", "ignored", "open"]


@dataclass(frozen=True, slots=True)
class ReviewedColumn:
    """A column of the file with what was chosen for it. `guess` is what the file suggests; `unsure`: that counts, and
    somebody should look at it. `rivals` are other columns that become the same field, and `problems` groups of rows, as
    an import has them."""

    preview: PreviewColumn
    choice: ColumnChoice
    guess: Proposal | None
    unsure: bool
    rivals: tuple[str, ...] = ()
    problems: tuple[Mapping[str, Any], ...] = ()

    @property
    def index(self) -> int:
        return self.preview.column.index

    @property
    def name(self) -> str:
        return name_column(self.preview.column)

    @property
    def state(self) -> State:
        return "open" if self.choice.field is None else "mapped" if self.choice.field else "ignored"

    @property
    def needs_somebody(self) -> bool:
        wrong = any(each.wrong for each in self.preview.stored)
        return self.state == "open" or self.unsure or wrong or bool(self.rivals or self.problems)


@dataclass(frozen=True, slots=True)
class ColumnReview:
    """All columns of a file as they are chosen. `base` is the template that was begun with, and `absent` what it names
    and the file does not have. `body` is the mapping as `POST /mappings` takes it, without name and type."""

    resource: Resource
    preview: Preview
    columns: Sequence[ReviewedColumn]
    base: StoredTemplate | None
    absent: tuple[str, ...]
    body: Mapping[str, Any]
    is_changed: bool  # what is chosen is not what the base, or the default mapping, says

    @property
    def is_storable(self) -> bool:
        """Whether `body` is a mapping: it has a column, and no two that fill one field."""
        return bool(self.body["columns"]) and not any(each.rivals for each in self.columns)

    def list_in(self, state: State) -> list[ReviewedColumn]:
        return [each for each in self.columns if each.state == state]

    @property
    def needy(self) -> list[ReviewedColumn]:
        return [each for each in self.columns if each.needs_somebody]


@dataclass(frozen=True, slots=True)
class BegunMapping:
    """What a review begins with. `settled`: somebody has chosen it for this file, and nothing is guessed any more."""

    mapping: ColumnMapping
    body: Mapping[str, Any] = field(default_factory=dict)  # as JSON
    settled: bool = False
    base: StoredTemplate | None = None


@dataclass(frozen=True, slots=True)
class FileToReview:
    """The beginning of a file and how it is read. `named`: a mapping names its columns by their headings, and not by
    their positions alone; `guessed`: there is something to guess about them."""

    head: FileHead
    read: ReadOptions
    has_header: bool
    named: bool
    guessed: bool = True


def name_column(column: ColumnCells) -> str:
    """What people call it: its heading, or its number."""
    return column.heading or name_position(column.index)


def name_columns(draft: Draft) -> list[str]:
    """What the columns of a draft's file are called, by their indexes."""
    header = draft.facts.header if draft.facts else ()
    return [heading or name_position(index) for index, heading in enumerate(header)]


async def load_draft_type(runtime: Runtime, draft: Draft) -> Resource:
    """Raises Refused("not_found")."""
    async with runtime.database.read() as session:
        return (await load_resource(session, draft.account_id, draft.type))[0]


async def review_draft(
    runtime: Runtime, draft: Draft, chosen: Mapping[int, ColumnChoice] | None = None
) -> ColumnReview:
    """`chosen`, by the indexes of columns, counts in place of what the draft says of these.

    Raises Refused: not_found (the type), gone (the file), invalid (nothing of it has been read; the header).
    """
    if draft.facts is None or draft.blob is None:
        raise Refused("invalid", NOT_READ, [Complaint("", NOT_READ)])
    async with runtime.database.read() as session:
        resource, _ = await load_resource(session, draft.account_id, draft.type)
        template_id = str(draft.choices.get("basedOn") or draft.choices.get("mappingId") or DEFAULT)
        template = await find_template(session, draft.account_id, template_id)
    base = template if template and template.type == resource.name else None
    async with runtime.heavy_reads.turn(draft.account_id):
        return await asyncio.to_thread(
            review_file, runtime, draft, draft.facts, resource, begin(draft, base), chosen or {}
        )


def begin(draft: Draft, base: StoredTemplate | None) -> BegunMapping:
    if chosen := draft.choices.get("mapping"):
        return BegunMapping(read_body(chosen), chosen, settled=True, base=base)
    settled = bool(draft.choices.get("settled"))
    if base is not None:
        return BegunMapping(base.as_mapping(), msgspec.json.decode(base.wire), settled, base)
    return BegunMapping(DEFAULT_MAPPING, settled=settled)


def review_file(
    runtime: Runtime,
    draft: Draft,
    facts: FileFacts,
    resource: Resource,
    begun: BegunMapping,
    chosen: Mapping[int, ColumnChoice],
) -> ColumnReview:
    read = ReadOptions(facts.format, facts.delimiter)
    file = FileToReview(read_head(runtime, draft, facts.encoding), read, facts.has_header, named=facts.has_header)
    return review_beginning(runtime, file, resource, begun, chosen)


def review_beginning(
    runtime: Runtime,
    file: FileToReview,
    resource: Resource,
    begun: BegunMapping,
    chosen: Mapping[int, ColumnChoice],
) -> ColumnReview:
    """Blocking: 0.2 s for a file of 2,000 columns."""
    reading = ColumnMapping(has_header=file.has_header)
    beginning = read_beginning(file.head, resource, file.read, runtime.limits, reading, told=True)
    cells = beginning.cells
    # Where nothing is settled, what the template says is part of the proposal.
    known = ColumnMapping() if begun.settled else begun.mapping
    guesses = [PreviewColumn(each, None, {}) for each in cells]
    if file.guessed:
        guesses = propose_columns(cells, resource, known, named=beginning.is_delimited)
    told = tell_choices(begun.mapping, cells, resource)
    before = settle_choices(guesses, told, settled=begun.settled)
    choices = before | convert_changed(chosen, before, cells, resource)
    columns = [fill_column(each, choices[each.index], resource) for each in cells]
    body = build_body(begun.body, columns, choices, named=file.named)
    key_limit = runtime.settings.max_key_characters
    preview = preview_columns(beginning, columns, resource, read_body(body), key_limit=key_limit)
    unsure = set() if begun.settled else find_unsure(guesses, choices, told, resource) - chosen.keys()
    original = begun.base.as_mapping() if begun.base else DEFAULT_MAPPING
    by_original = tell_choices(original, cells, resource)
    return ColumnReview(
        resource,
        preview,
        review_columns(preview, choices, guesses, unsure),
        begun.base,
        tuple(each.name for each in find_absent(original, find_each(original, cells, resource).values())),
        body,
        is_changed=any(choices[each.index] != by_original.get(each.index, left_alone(each)) for each in cells),
    )


def read_body(body: Mapping[str, Any]) -> ColumnMapping:
    """A mapping that somebody is still at: two columns may fill one field, and there may be none."""
    unsaid = Complaints("")
    columns = read_columns(body.get("columns"), unsaid)
    constants = read_constants(body.get("constants"), unsaid)
    return ColumnMapping(columns, "loose", body.get("hasHeader") is not False, constants=constants)


def fill_column(column: ColumnCells, choice: ColumnChoice, resource: Resource) -> PreviewColumn:
    filled = find_field(choice.field, resource) if choice.field else None
    if filled is None:
        return PreviewColumn(column, None, {})
    return PreviewColumn(column, Proposal(column, KnownName(filled, "template", EXACT, "")), choice.conversions)


def build_body(
    begun: Mapping[str, Any],
    columns: Iterable[PreviewColumn],
    choices: Mapping[int, ColumnChoice],
    *,
    named: bool,
) -> dict[str, Any]:
    left_open = {index for index, choice in choices.items() if choice.field is None}
    kept = {name: begun[name] for name in ("constants", "options") if begun.get(name)}
    return {"hasHeader": named, "columns": map_columns(columns, named=named, left_open=left_open), **kept}


def review_columns(
    preview: Preview, choices: Mapping[int, ColumnChoice], guesses: Sequence[PreviewColumn], unsure: Collection[int]
) -> list[ReviewedColumn]:
    by_field: dict[str | None, list[ColumnCells]] = defaultdict(list)
    for each in preview.columns:
        by_field[choices[each.column.index].field].append(each.column)
    problems: dict[str | None, list[Mapping[str, Any]]] = defaultdict(list)
    for group in preview.problems:
        problems[group["field"]].append(group)
    reviewed = []
    for each, guess in zip(preview.columns, guesses, strict=True):
        index = each.column.index
        choice, proposal = choices[index], guess.proposal
        others = [other for other in by_field[choice.field] if other.index != index] if choice.field else []
        reviewed.append(
            ReviewedColumn(
                each,
                choice,
                proposal,
                unsure=index in unsure,
                rivals=tuple(map(name_column, others)),
                problems=tuple(problems[choice.field]) if choice.field else (),
            )
        )
    return reviewed
