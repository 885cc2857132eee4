"""Shapes of records."""

from typing import Any

from pydantic import Field

from app.surfaces.native.wire.shape import Links
from app.web.shapes import Shape, Timestamp


class Record(Shape):
    type: str
    key: str
    data: dict[str, Any] = Field(description="The fields. Numbers keep the digits that they were sent with")
    created_at: Timestamp
    updated_at: Timestamp
    import_id: str | None = Field(
        description="The import that last changed the record; null if it was written by itself, without an import"
    )


class RecordList(Shape):
    """Ordered by key."""

    links: Links
    results: list[Record]
