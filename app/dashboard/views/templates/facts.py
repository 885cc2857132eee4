"""What a mapping template says beside its columns: options of imports with it, and values that every record gets."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from app.dashboard.views.options import choices
from app.dashboard.views.options.choices import Choices, word_of
from app.dashboard.views.options.limits import LABELS, write_limit
from app.drafts.columns.review import ColumnReview
from app.formats.decode import normalize_encoding
from app.mappings.declaring.options import DEFAULTS, OPTIONS
from app.mappings.delimiters import DELIMITERS, parse_delimiter
from app.mappings.templates.stored import StoredTemplate
from app.runs.holding.brakes import BRAKES, SHARE

# Term, and the choices of which it is one; none where the value speaks for itself.
WORDS: Final[Mapping[str, tuple[str, Choices]]] = {
    "format": ("Format", ()),
    "delimiter": ("Delimiter", ()),
    "encoding": ("Encoding", ()),
    "overrideExisting": ("Change records that exist", ()),
    "updateOnlyEmptyFields": ("Fill only what is empty", ()),
    "blankCells": ("Blank cells", choices.BLANKS),
    "nullMarker": ("Text that stands for no value", ()),
    "duplicates": ("A key that comes twice", choices.DUPLICATES),
    "unknownColumns": ("Columns that fit no field", choices.UNKNOWN),
    "mode": ("What the file does", choices.MODES),
    "replace": ("The file replaces the type", ()),
    "onError": ("When a row fails", choices.ON_ERROR),
    "undoable": ("Can be undone", ()),
    "ifSameFile": ("If the same file was imported before", choices.SAME_FILE),
}
LIMITS: Final = {brake.name: (LABELS[name], brake) for name, brake in BRAKES.items()}
WORD_OF_DELIMITER: Final = {character: word for word, character in DELIMITERS.items()}


def list_facts(review: ColumnReview, *, options: bool) -> list[tuple[str, str]]:
    """Term and value; with `options`, those as well: for a reader who may not edit them."""
    said: Mapping[str, Any] = review.body.get("options", {}) if options else {}
    facts = [tell_option(name, value) for name, value in said.items()]
    if not review.body["hasHeader"]:
        facts.append(("Header", "None: columns are found by their numbers"))
    constants: dict[str, Any] = review.body.get("constants", {})
    return [*facts, *((f"Every record gets {name}", tell_constant(value)) for name, value in constants.items())]


def tell_option(name: str, value: Any) -> tuple[str, str]:
    if name in LIMITS:
        label, brake = LIMITS[name]
        return label.removesuffix(", in %"), f"{write_limit(brake, value)}{' %' if brake.kind == SHARE else ''}"
    term, of = WORDS[name]
    if isinstance(value, bool):
        return term, "yes" if value else "no"
    if of:
        return term, word_of(of, value)
    return term, WORD_OF_DELIMITER.get(str(value), str(value)) if name == "delimiter" else str(value)


def tell_constant(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def find_options(template: StoredTemplate) -> dict[str, Any]:
    """What counts for imports with the template, as the fields of the form have it; "" for none."""
    said: dict[str, Any] = {**DEFAULTS, **(msgspec.json.decode(template.wire).get("options") or {})}
    delimiter, encoding = parse_delimiter(said.get("delimiter", "auto")), said.get("encoding")
    read = {"delimiter": "" if delimiter in (None, "auto") else delimiter}
    read["encoding"] = normalize_encoding(encoding) if encoding else ""
    return dict.fromkeys(OPTIONS, "") | said | read
