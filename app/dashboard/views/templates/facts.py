"""What a mapping template says beside its columns."""

import json
from typing import Any

from app.drafts.columns.review import ColumnReview
from app.mappings.delimiters import DELIMITERS

WORDS = {
    "format": "Format",
    "delimiter": "Delimiter",
    "encoding": "Encoding",
    "overrideExisting": "Change records that exist",
    "updateOnlyEmptyFields": "Fill only what is empty",
    "blankCells": "Blank cells",
    "nullMarker": "What leaves a field as it is",
    "duplicates": "A key that comes twice",
    "unknownColumns": "Unknown columns",
    "replace": "Replace all records of the type",
}


def list_facts(review: ColumnReview) -> list[tuple[str, str]]:
    """Options of imports with it, and values that every record gets: term and value."""
    options: dict[str, Any] = review.body.get("options", {})
    facts = [(WORDS.get(name, f"Limit {name}"), tell_option(name, value)) for name, value in options.items()]
    if not review.body["hasHeader"]:
        facts.append(("Header", "None: columns are found by their numbers"))
    constants: dict[str, Any] = review.body.get("constants", {})
    return [*facts, *((f"Every record gets {name}", tell_constant(value)) for name, value in constants.items())]


def tell_option(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    words = {character: word for word, character in DELIMITERS.items()}
    return words.get(str(value), str(value)) if name == "delimiter" else str(value)


def tell_constant(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
