"""Earlier imports to begin from, what is copied of one, and in what a new file differs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.dashboard.views.options import choices as options
from app.dashboard.views.wizard.summary import tell_mapping
from app.dashboard.words import count_of, join_words, write_number
from app.drafts.again import ChangedColumns, copy_choices
from app.drafts.type_choice import find_options
from app.imports.plan import load_request
from app.mappings.mapping import DEFAULT
from app.runs.model import Run
from app.runs.status import Status

NAMED: Final = 6  # headings in which a file differs


@dataclass(frozen=True, slots=True)
class ParentRow:
    id: str
    name: str
    type: str
    source: str
    at: datetime
    outcome: str


@dataclass(frozen=True, slots=True)
class ParentView:
    """`copied` are terms and values. `fetched`: the service fetches the file again; else somebody sends it."""

    id: str
    name: str
    copied: Sequence[tuple[str, str]]
    source: str
    fetched: bool


def show_parents(found: Iterable[Status]) -> list[ParentRow]:
    return [
        ParentRow(each.id, name_of(each), each.type, tell_source(each), each.created_at, tell_outcome(each))
        for each in (status.run for status in found)
    ]


def name_of(run: Run) -> str:
    return run.name or run.file_name or "An import without a name"


def tell_source(run: Run) -> str:
    source: Any = run.source or {}
    if not source:
        return "Upload"
    return f"{source.get('transport', '').upper()} {source.get('bucket') or source.get('host', '')}"


def tell_outcome(run: Run) -> str:
    if not run.done:
        return "Not ended"
    if run.state != "finished":
        return "Not finished"
    return f"{write_number(run.failed)} of {count_of(run.total or 0, 'row')} failed" if run.failed else "All in"


def show_parent(run: Run) -> ParentView:
    mapping = load_request(run).mapping
    found = find_options(copy_choices(run), None)
    columns = "As in the earlier file" if mapping.id == DEFAULT and mapping.columns else tell_mapping(mapping)
    copied = [
        ("Record type", run.type),
        ("Columns", columns),
        ("Records that exist", options.word_of(options.EXISTING, options.tell_existing(found))),
        ("Blank cells", options.word_of(options.BLANKS, found["blankCells"])),
        ("A key that comes twice", options.word_of(options.DUPLICATES, found["duplicates"])),
    ]
    return ParentView(str(run.id), name_of(run), copied, tell_source(run), fetched=run.source is not None)


def show_changes(changed: ChangedColumns) -> str:
    """ "2 columns are new, 1 is missing: …", for the notice on the next page."""
    parts = [
        f"{write_number(len(headings))} {'is' if len(headings) == 1 else 'are'} {how}"
        for how, headings in (("new", changed.new), ("missing", changed.missing))
        if headings
    ]
    first = len(changed.new or changed.missing)
    parts[0] = parts[0].replace(" ", " column " if first == 1 else " columns ", 1)
    names = join_words([f'"{each}"' for each in [*changed.new, *changed.missing][:NAMED]])
    return f"{', '.join(parts)}: {names}."
