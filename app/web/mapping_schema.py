"""The wire form of a mapping, for OpenAPI."""

from typing import Any, Final

from app.mappings.conversions import BLANKS, CASES, CONVERSIONS
from app.mappings.declaring.declaration import MOST_COLUMNS
from app.mappings.declaring.options import OPTIONS

FLAG: Final = {"type": "boolean"}
TEXT: Final = {"type": "string"}
KINDS: Final[dict[str, dict[str, Any]]] = {
    "trim": FLAG,
    "case": {"type": "string", "enum": list(CASES)},
    "blank": {"type": "string", "enum": list(BLANKS)},
    "values": {"type": "object", "additionalProperties": TEXT},
    "decimalComma": FLAG,
}
MAPPING_ID: Final[dict[str, Any]] = {
    "type": "string",
    "description": "The id of a mapping template for the type. Or `default`: headings are the ids of fields, their "
    "labels, or look like one of them",
}
COLUMN: Final[dict[str, Any]] = {
    "title": "MappedColumn",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "column": TEXT | {"description": "Its heading; for JSON Lines the member or path"},
        "position": {
            "type": "integer",
            "minimum": 0,
            "maximum": MOST_COLUMNS - 1,
            "description": "Instead of `column`: its place in the file. The first is 0",
        },
        "field": TEXT | {"description": "The field that it fills"},
        "ignore": FLAG | {"description": "Instead of `field`: the column is left out"},
        **{
            name: KINDS.get(name, TEXT) | {"description": conversion.description}
            for name, conversion in CONVERSIONS.items()
        },
    },
}
MAPPING: Final[dict[str, Any]] = {
    "title": "Mapping",
    "type": "object",
    "description": "Which column fills which field, and how its cells are converted",
    "required": ["columns"],
    "additionalProperties": False,
    "properties": {
        "name": TEXT,
        "type": TEXT | {"description": "The record type. If it is set, it must be that of the request"},
        "hasHeader": FLAG | {"description": "Whether the file has a header; default: true"},
        "columns": {"type": "array", "minItems": 1, "maxItems": MOST_COLUMNS, "items": COLUMN},
        "constants": {
            "type": "object",
            "description": "Values that every record gets, by field: texts, numbers, true or false. A number of more "
            "than 15 digits is sent as text",
        },
        "options": {
            "type": "object",
            "description": f"For requests that do not set them: {', '.join(OPTIONS)}",
        },
    },
}
