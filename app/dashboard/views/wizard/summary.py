"""Everything that was chosen for an import, in one list with the way back to each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.dashboard.views.options import choices as options
from app.dashboard.views.wizard.frame import tell_encoding, tell_file
from app.dashboard.words import count_of
from app.drafts.draft import Draft
from app.drafts.type_choice import find_options
from app.mappings.declaring.options import DEFAULTS
from app.mappings.mapping import DEFAULT, INLINE, Mapping


@dataclass(frozen=True, slots=True)
class ChosenRow:
    """`step` is where it can be changed."""

    term: str
    value: str
    step: str


def list_chosen(draft: Draft, mapping: Mapping) -> list[ChosenRow]:
    found = find_options(draft.choices, mapping)
    columns = tell_mapping(mapping, copied=bool(draft.choices.get("copied")))
    rows = [
        ChosenRow("File", tell_file(draft), "source"),
        ChosenRow("Record type", draft.type, "type"),
        ChosenRow("Columns", columns, "columns" if draft.facts else "type"),
        ChosenRow("Records that exist", options.word_of(options.EXISTING, options.tell_existing(found)), "type"),
        ChosenRow("Blank cells", options.word_of(options.BLANKS, found["blankCells"]), "type"),
        ChosenRow("A key that comes twice", options.word_of(options.DUPLICATES, found["duplicates"]), "type"),
    ]
    return [*rows, *list_unusual(draft, found)]


def list_unusual(draft: Draft, found: dict[str, Any]) -> Sequence[ChosenRow]:
    """What is told only where it is not as usual."""
    told: dict[str, tuple[str, Callable[[Any], str]]] = {
        "encoding": ("Encoding", tell_encoding),
        "unknownColumns": ("Columns that fit no field", lambda value: options.word_of(options.UNKNOWN, value)),
        "nullMarker": ("Text that stands for no value", str),
        "couponSetId": ("Coupon set", str),
        "mode": ("What the file does", lambda value: options.word_of(options.MODES, value)),
        "replace": ("The file replaces the type", lambda _: "Records that no row names are removed"),
    }
    values = {"encoding": draft.choices.get("encoding"), **found}
    return [
        ChosenRow(term, words(values[name]), "type")
        for name, (term, words) in told.items()
        if values[name] and values[name] != DEFAULTS.get(name)
    ]


def tell_mapping(mapping: Mapping, *, copied: bool = False) -> str:
    """`copied`: a mapping that is no template is that of an earlier import."""
    filling = sum(1 for column in mapping.columns if column.field)
    mapped = f"{count_of(filling, 'column')} mapped, {len(mapping.columns) - filling} ignored"
    if mapping.id == DEFAULT:
        return "Columns are called like the fields"
    if mapping.id == INLINE:
        return f"{mapped}, as in the earlier import" if copied else f"{mapped}, for this import alone"
    return f'{mapped}, template "{mapping.name}"'
