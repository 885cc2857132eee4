"""Shapes of record types and of their declarations."""

from typing import Any, Final, Literal

from pydantic import Field

from app.surfaces.native.wire.shape import Links
from app.web.declared.shape import json_body
from app.web.shapes import Shape


class RecordType(Shape):
    """A record type: a built-in one with the account's custom fields, or one that the account declared."""

    name: str
    built_in: bool
    key: str = Field(description="The id of the field that identifies a record")
    keys: list[str] = Field(
        default=[], description="If several fields may identify a record: the first that is filled is its key"
    )
    generate_key: bool = Field(
        default=False, description="A row that leaves the key blank makes a record, whose key the service generates"
    )
    fields: list["TypeField"]
    families: list["TypeFamily"] = Field(default=[], description="For a nested type: the fields inside it, by path")
    unknown_columns: Literal["ignore", "keep", "error"]


FieldType = Literal[
    "text",
    "integer",
    "decimal",
    "boolean",
    "date",
    "datetime",
    "email",
    "phone",
    "url",
    "slug",
    "enum",
    "list",
    "reference",
    "object",
]


class TypeFamily(Shape):
    path: str = Field(
        description="`#` stands for a position in a list, 0 to 999, and `*` at the end for any path",
        examples=["variants.#.sku"],
    )
    type: FieldType


class TypeField(Shape):
    id: str
    type: FieldType
    label: str = Field(default="", description="What people call the field")
    required: bool = False
    options: list[str] = Field(default=[], description="For enum and list: the values that are allowed")
    min: float | None = None
    max: float | None = None
    max_length: int | None = None
    separator: str = "|"
    to: str = Field(default="", description="For reference and list: the type whose records are named by their keys")
    read_only: bool = False


class TypeBody(Shape):
    """A declaration. For contacts only `fields`: the account's custom ones."""

    key: str = Field(
        default="", description="The id of the field that identifies a record. Required for a type of your own"
    )
    generate_key: bool = Field(
        default=False,
        description="true: a row whose key is blank makes a record with a key that the service generates; any other "
        "updates the record with that key, which must exist. The key is then a field of type text",
    )
    fields: list[dict[str, Any]] = Field(
        description="id, type, label, required, options, min, max, maxLength, separator, to; see GET /types/{name}"
    )
    unknown_columns: Literal["ignore", "keep", "error"] = "ignore"


class TypeList(Shape):
    links: Links
    results: list[RecordType]


TYPE_BODY: Final = json_body(
    TypeBody, {"key": "sku", "fields": [{"id": "sku", "type": "text"}, {"id": "stock", "type": "integer"}]}
)
NEW_TYPE: Final[dict[int | str, dict[str, Any]]] = {201: {"model": RecordType, "description": "The type is new"}}
SAMPLE: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
