"""Shapes of imports that are started from a connection."""

from typing import Literal

from pydantic import Field

from app.surfaces.native.wire.shape import Links
from app.web.shapes import Shape


class ImportColumn(Shape):
    """A column of the file of an import."""

    column: str = Field(description="Its heading; for JSON Lines the name of the member")
    position: int = Field(description="The first is 0")
    found: Literal["exact", "label", "loose", "position", "ignored", "unknown"] = Field(
        description="By what: `exact`, its heading is the one in the mapping or, without a mapping, the id of its "
        "field; a label, what looks the same, or its position; or that it is ignored, or nobody says what it fills"
    )
    field: str = Field(default="", description="What it fills. An unknown column has one if it is kept")


class ColumnList(Shape):
    links: Links
    results: list[ImportColumn] = Field(description="In the order of the file")


class SentCell(Shape):
    column: str = Field(description="The heading; for JSON Lines the name of the member")
    value: str


class SentRowItem(Shape):
    """A row of the file, as it was sent."""

    row: int
    line: int = Field(description="Line of the file on which the row begins; the header is line 1")
    cells: list[SentCell] = Field(description="In the order of the file")
    raw: str = Field(default="", description="Present for a row that could not be read: its text, maybe cut")


class StartedImport(Shape):
    import_id: str
    path: str


class StartedImports(Shape):
    matched: int = Field(description="The number of files that match the path and come after `after`")
    left: int = Field(description="How many of them found no room in the queue")
    next: str | None = Field(description="Send it as `after` when there is room again; null if no file is left")
    results: list[StartedImport] = Field(description="Oldest file first")
