"""Shapes of the bad values of an import."""

from pydantic import Field

from app.surfaces.native.wire.shape import Links
from app.web.shapes import Shape


class FailedValueItem(Shape):
    """A bad value of a column, counted."""

    column: str = Field(description="The heading in the file")
    field: str = Field(description="The field that the column fills")
    code: str = Field(examples=["type_error"])
    value: str = Field(description="As it was sent. Empty for a blank cell")
    count: int = Field(description="The number of rows that fail for it")
    cut: bool = Field(default=False, description="Present if the value is longer: only its beginning is told")


class FailedValueList(Shape):
    links: Links
    results: list[FailedValueItem] = Field(description="The most frequent first")
    others: int = Field(
        description="How many bad cells have values that are not listed, because more than 5,000 are different; 0 if "
        "all are listed"
    )
    at_most: int = Field(description="In how many rows each of those values is at most. More frequent ones are listed")
