"""Shapes of mapping templates, and of what is suggested for a file."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from app.surfaces.native.wire.shape import Links
from app.web.declared.connection_imports import check_delimiter
from app.web.declared.shape import json_body
from app.web.mapping_schema import MAPPING
from app.web.shapes import DELIMITER, NO_FIX, UNSET_TIME, Fix, Shape, Timestamp

PARTS: Final[dict[str, Any]] = MAPPING["properties"]
LAST_USED: Final = "When an import or an export was last accepted with it; absent if none was"


class MappingBody(Shape):
    name: str = Field(min_length=1, max_length=200, description="Unique among the templates for the type")
    type: str = Field(max_length=100, description="The record type. It cannot be changed")
    has_header: Annotated[bool, WithJsonSchema(PARTS["hasHeader"])] = True
    columns: Annotated[list[dict[str, Any]], WithJsonSchema(PARTS["columns"])]
    constants: Annotated[dict[str, Any], WithJsonSchema(PARTS["constants"])] = Field(default={})
    options: Annotated[dict[str, Any], WithJsonSchema(PARTS["options"])] = Field(default={})


class MappingUse(Shape):
    """What starts runs with a template."""

    kind: Literal["feed", "schedule"]
    id: str
    name: str


class MappingTemplate(MappingBody):
    """A mapping that is stored by name. An import keeps a copy of the one that it was accepted with."""

    id: str = Field(examples=["map_018bcfe568a1c0ffee012345"])
    created_at: Timestamp
    updated_at: Timestamp
    last_used_at: Timestamp = Field(default=UNSET_TIME, description=LAST_USED)
    used_by: list[MappingUse] = Field(description="The feeds and schedules that start runs with it")


class MappingSummary(Shape):
    id: str = Field(examples=["map_018bcfe568a1c0ffee012345"])
    name: str
    type: str
    columns: int = Field(description="How many it has")
    ignored: int = Field(description="How many of them it ignores")
    uses: int = Field(description="How many feeds and schedules start runs with it")
    created_at: Timestamp
    updated_at: Timestamp
    last_used_at: Timestamp = Field(default=UNSET_TIME, description=LAST_USED)


class MappingList(Shape):
    """Ordered by name and type."""

    links: Links
    results: list[MappingSummary]


MAPPING_BODY: Final = json_body(
    MappingBody,
    {
        "name": "Supplier A price list",
        "type": "products",
        "columns": [
            {"column": "Art. no.", "field": "productId"},
            {"column": "Price", "field": "unitPrice", "decimalComma": True},
            {"column": "Internal note", "ignore": True},
        ],
        "options": {"delimiter": ";", "encoding": "windows-1252"},
    },
)


class StoredSample(Shape):
    """What would become of a sample: the value as its field would hold it, or why it cannot be stored. With neither it
    leaves the field as it is."""

    value: Any = None
    code: str = Field(default="", description="Of the problem that its row would have", examples=["type_error"])
    message: str = ""


class SuggestedColumn(Shape):
    column: str = Field(description="The heading, or the name of a member of JSON Lines")
    position: int = Field(description="The first column is 0")
    field: str = Field(default="", description="The field that it probably fills; absent if that is left open")
    reason: Literal["template", "exact", "label", "spelling", "synonym", "values"] = Field(
        default="exact",
        description="Why: the template says so, the id or label of the field, a name spelled almost like one, a usual "
        "name in one of several languages, or what the values look like",
    )
    why: str = Field(default="", description="The same for people")
    confidence: float = Field(default=0, description="From 0.5 to 1. Below 0.8 a person should look at it")
    conversions: dict[str, Any] = Field(
        default={}, description="How its cells have to be converted, as members of a column of a mapping"
    )
    samples: list[str] = Field(description="The first three different values")
    stored: list[StoredSample] = Field(
        default=[], description="What would become of each sample; absent if the column fills no field"
    )


class ProblemSample(Shape):
    line: int
    row: int
    value: str | None


class ProblemGroup(Shape):
    """The problems of one kind in one column, counted."""

    code: str = Field(examples=["type_error"])
    field: str | None
    column: str | None
    message: str
    count: int
    samples: list[ProblemSample] = Field(description="The first three rows")
    hint: str = Field(default="", description="What is probably the cause, and what to do. Absent if nobody can say")
    fix: Fix = Field(default=NO_FIX, description="Present if a program can do what the hint says")


class FileDialect(Shape):
    """How the file would be read."""

    format: Literal["csv", "jsonl"]
    delimiter: str
    encoding: str = Field(examples=["windows-1252"])
    has_header: bool = Field(description="Whether the first row has the names of the columns")


class FittingTemplate(Shape):
    """A mapping template of the type that fits the columns of the file."""

    id: str
    name: str
    fits: int = Field(description="How many of its columns the file has")
    columns: int = Field(description="How many of its columns fill a field")


class Workbook(Shape):
    """The sheets of a workbook."""

    name: str = Field(default="", description="The sheet that was read")
    others: list[str] = Field(default=[], description="Those that are shown and were not read")
    hidden: list[str] = Field(default=[], description="Those that are hidden and were not read")


class Suggestion(Shape):
    """What the beginning of a file shows."""

    type: str
    dialect: FileDialect
    whole: bool = Field(description="Whether the whole file was looked at")
    rows: int = Field(description="How many rows were read, at most 1,000")
    columns: list[SuggestedColumn]
    missing: list[list[str]] = Field(
        description="The fields that are required and that no column fills. Of several in one list one would do"
    )
    checked: bool = Field(description="Whether the rows were checked: without a key they cannot be")
    failed: int = Field(description="How many of the rows have a problem")
    problems: list[ProblemGroup] = Field(description="As an import would report them if none of its records existed")
    mapping: Annotated[dict[str, Any], WithJsonSchema(MAPPING)] = Field(
        description="The same as a mapping, to be sent as it is or with a name to `POST /mappings`"
    )
    templates: list[FittingTemplate] = Field(
        description="Templates of the type that fit the file, at most 10, the best fit first"
    )
    workbook: Workbook = Field(default=Workbook(), description="The sheets of a workbook; absent for any other file")


class SuggestParts(Shape):
    """The parts of the form beside the file. `encoding` and `sheet` were used while the file arrived."""

    type: str = Field(max_length=100)
    delimiter: Annotated[str, AfterValidator(check_delimiter)] = "auto"
    encoding: str | None = None
    format: Literal["csv", "jsonl"] | None = None
    sheet: str | None = None
    mapping_id: str | None = None
    mapping: str | None = None


SUGGEST_FORM: Final[dict[str, Any]] = {
    "title": "SuggestForm",
    "type": "object",
    "required": ["type", "file"],
    "properties": {
        "type": {"type": "string", "description": "The record type that the file is for", "examples": ["contacts"]},
        "delimiter": DELIMITER | {"description": f"{DELIMITER['description']}. Default: auto", "examples": ["auto"]},
        "mappingId": {
            "type": "string",
            "description": "A mapping template to begin with: what it says of a column counts. Must come before the "
            "file in the form if it names the encoding",
            "examples": [""],
        },
        "mapping": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": MAPPING,
            "description": "In place of `mappingId`: a mapping to begin with, as JSON, such as a changed suggestion. "
            "Must come before the file in the form if it names the encoding",
            "examples": [""],
        },
        "encoding": {
            "type": "string",
            "description": "The encoding of the file, if it is known. Must come before the file in the form",
            "examples": ["utf-8"],
        },
        "format": {
            "type": "string",
            "enum": ["csv", "jsonl"],
            "description": "If it is not set, the file's name decides, or else its first character",
            "examples": [""],
        },
        "sheet": {
            "type": "string",
            "description": "Of a workbook (.xlsx, .xls, .ods): the name of the sheet, or its number from 1 on. Without "
            "it the first one that is not hidden is read. Must come before the file in the form",
            "examples": [""],
        },
        "file": {
            "type": "string",
            "format": "binary",
            "description": "The file, or its first 262,144 bytes; what follows is not looked at. A workbook is sent "
            "whole",
        },
    },
}
SUGGEST_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": SUGGEST_FORM, "encoding": {"file": {"contentType": "text/csv"}}}},
    }
}
