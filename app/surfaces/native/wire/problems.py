"""Shapes of what is wrong with the rows of a run."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from app.surfaces.native.wire.shape import Links
from app.web.shapes import Shape

# Parameters of lists. Few rows among very many may take several pages to find, of which some are empty.
OfCause = Annotated[str | None, Query(description="Only problems with this `code`")]
OfColumn = Annotated[str | None, Query(description="Only problems of this column, or of this field")]


class RowProblem(Shape):
    """One thing that is wrong with one row, or with one file in the ZIP of pictures of an item sync: `value` is its
    name."""

    file: str = Field(default="", description="Present for an item sync, which reads several files")
    line: int | None = Field(
        description="Line of the file on which the row begins; the header is line 1. Null for a file in a ZIP"
    )
    row: int | None = Field(
        description="Number of the row; the first after the header is 1. An item sync numbers the rows of all files. "
        "Null for a file in a ZIP"
    )
    column: str | None = Field(description="The heading in the file; null if the problem concerns the whole row")
    field: str | None = Field(description="The field that the column fills")
    code: str = Field(examples=["type_error"])
    message: str
    value: str | None = Field(description="The bad value, cut at 200 characters")
    key: str | None = Field(description="The key of the row, if it could be read")


class ProblemList(Shape):
    """In the order of the file."""

    links: Links
    results: list[RowProblem]
