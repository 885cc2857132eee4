"""The body by which a request says what is to be corrected, for OpenAPI."""

from typing import Any, Final

from app.imports.corrections.correction import LARGEST_ROW, MOST_CORRECTIONS, TEXT_CONVERSIONS
from app.mappings.conversions import CONVERSIONS
from app.web.mapping_schema import FLAG, KINDS, TEXT

CORRECTION: Final[dict[str, Any]] = {
    "title": "Correction",
    "type": "object",
    "description": "Beside `column` and `code` it has `from` and `to`, or `row` and `to`, or `ignore`, or how the "
    "column is read, as a mapping says it",
    "required": ["column"],
    "additionalProperties": False,
    "properties": {
        "column": TEXT | {"description": "The heading in the file; for JSON Lines the member"},
        "code": TEXT | {"description": "Only rows that fail for this in the column"},
        "from": TEXT | {"description": "A bad value as `failed-values` has it; empty for a blank cell"},
        "row": {"type": "integer", "minimum": 1, "maximum": LARGEST_ROW, "description": "The number of a failed row"},
        "to": TEXT | {"description": "What the cell becomes, written as its field takes it; empty for a blank cell"},
        "ignore": FLAG | {"description": "The column is left out for these rows"},
        **{name: KINDS.get(name, TEXT) | {"description": CONVERSIONS[name].description} for name in TEXT_CONVERSIONS},
    },
}
CORRECTIONS_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "title": "Corrections",
                    "type": "object",
                    "required": ["corrections"],
                    "additionalProperties": False,
                    "properties": {
                        "corrections": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": MOST_CORRECTIONS,
                            "items": CORRECTION,
                        },
                        "name": TEXT | {"maxLength": 200, "description": "What the new import is called"},
                    },
                },
                "example": {"corrections": [{"column": "_points", "from": "n/a", "to": ""}]},
            }
        },
    }
}
