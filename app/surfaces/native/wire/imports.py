"""Shapes of imports that are started from a connection."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from app.mappings.delimiters import NOT_A_DELIMITER, parse_delimiter
from app.surfaces.native.wire.brakes import BrakedBody
from app.surfaces.native.wire.shape import Links, RunName, json_body
from app.web.mapping_schema import MAPPING, MAPPING_ID
from app.web.shapes import DELIMITER, Shape


def check_delimiter(name: str) -> str:
    """The delimiter of that name. Raises ValueError."""
    delimiter = parse_delimiter(name)
    if delimiter is None:
        raise ValueError(NOT_A_DELIMITER)
    return delimiter


class ConnectionImportBody(BrakedBody):
    path: str = Field(min_length=1, description="The file, or a pattern in its last part: `/in/*.csv`")
    after: str | None = Field(
        default=None, description="`next` of an earlier answer: goes on with the files after those that it started"
    )
    type: str = Field(
        max_length=100, description="contacts, products, or another type of the account. `mappingId` says it as well"
    )
    name: RunName | None = Field(default=None, description="What people call the imports that are started")
    format: Literal["csv", "jsonl"] | None = None
    delimiter: Annotated[str, AfterValidator(check_delimiter), WithJsonSchema(DELIMITER)] = "auto"
    encoding: str | None = None
    override_existing: bool = True
    update_only_empty_fields: bool = False
    replace: bool = Field(
        default=False,
        description="Whether the file replaces the type: records that no row names are removed, in one transaction "
        "with everything else. Then at most one file may match `path`",
    )
    blank_cells: Literal["keep", "clear", "empty"] = "keep"
    null_marker: str | None = None
    duplicates: Literal["last", "first", "error"] = "last"
    unknown_columns: Literal["ignore", "keep", "error"] | None = None
    mapping_id: str | None = Field(default=None, max_length=100, description=MAPPING_ID["description"])
    mapping: Annotated[dict[str, Any] | None, WithJsonSchema(MAPPING)] = None
    confirm_email: str | None = Field(default=None, description="Who is sent a mail when an import has ended")


class ImportColumn(Shape):
    """A column of the file of an import."""

    column: str = Field(description="Its heading; for JSON Lines the name of the member")
    position: int = Field(description="The first is 0")
    found: Literal["exact", "label", "loose", "position", "ignored", "unknown"] = Field(
        description="By what: the id of its field or the heading in the mapping, a label, what looks the same, or its "
        "position; or that it is ignored, or nobody says what it fills"
    )
    field: str = Field(default="", description="What it fills. An unknown column has one if it is kept")


class ColumnList(Shape):
    links: Links
    results: list[ImportColumn] = Field(description="In the order of the file")


class StartedImport(Shape):
    import_id: str
    path: str


class StartedImports(Shape):
    matched: int = Field(description="The number of files that match the path and come after `after`")
    left: int = Field(description="How many of them found no room in the queue")
    next: str | None = Field(description="Send it as `after` when there is room again; null if no file is left")
    results: list[StartedImport] = Field(description="Oldest file first")


CONNECTION_IMPORT_BODY: Final = json_body(
    ConnectionImportBody, {"path": "/out/contacts.csv", "type": "contacts", "delimiter": ","}
)
