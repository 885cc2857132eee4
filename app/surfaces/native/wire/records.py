"""Shapes of records."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from app.runs.kinds import Kind
from app.surfaces.native.wire.changes import ChangedRecord
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


class FoundRecord(Record):
    """One record."""

    import_row: int | None = Field(
        default=None,
        description="The row of that import that wrote it, for GET /imports/{import_id}/rows/{row}. Absent if another "
        "run has looked at the record since, and if no import of a file has written it",
    )


TAG: Final[dict[str, Any]] = {
    "ETag": {"schema": {"type": "string"}, "description": "Another one after each change of the record"}
}
FOUND: Final[dict[int | str, dict[str, Any]]] = {
    200: {"headers": TAG},
    304: {"description": "The client has this record: its `ETag` is in `If-None-Match`", "headers": TAG},
}
WRITTEN: Final[dict[int | str, dict[str, Any]]] = {200: {"headers": TAG}}
NEW_RECORD: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": FoundRecord, "description": "The record is new", "headers": TAG}
}
IF_MATCH: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": "If-Match",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": "The `ETag` of the record as it was read. The answer is 412, and nothing is written, if it "
            "has been changed since",
        }
    ]
}
RECORD_BODY: Final[dict[str, Any]] = IF_MATCH | {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": True,
                    "description": "The fields, as in a row of JSON Lines. The key may be left out",
                },
                "example": {"_name": "Ana", "_surname": "Silva"},
            }
        },
    }
}
Precision = Annotated[
    Literal["exact", "estimated", "atLeast"],
    Field(
        description="Up to 10,000 records are counted. Of more PostgreSQL estimates the number; atLeast: there are "
        "more, and it does not know how many"
    ),
]


class RecordCountItem(Shape):
    type: str
    count: int
    precision: Precision


class RecordCountList(Shape):
    """All types of the account, in the order of GET /types."""

    links: Links
    results: list[RecordCountItem]


class RecordList(Shape):
    """Ordered by key."""

    links: Links
    results: list[Record]


class HistoryItem(ChangedRecord):
    """A change of the record."""

    at: Timestamp
    run_id: str = Field(default="", description="The run that made it. Absent for a single write or delete")
    run_kind: Kind = Field(default=Kind.IMPORT, description="This and what follows is absent if the run is gone")
    run_name: str = Field(default="")
    file_name: str = Field(default="")
    line: int = Field(default=0, description="The line of the file on which `row` begins, if it is known")
    sent_by: str = Field(default="", description="The id of the key, person, schedule or feed that it came from")
    unknown: bool = Field(
        default=False,
        description="Present, and true, if it is not noted what was there before or after: then `fields` is empty",
    )


class RecordHistory(Shape):
    """Newest first."""

    links: Links
    results: list[HistoryItem]
