"""Shapes of what becomes of single records, field by field."""

from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from app.runs.changes.change import ChangeOutcome
from app.runs.changes.file import Format
from app.surfaces.native.wire.shape import Links
from app.web.shapes import Shape


class ChangedField(Shape):
    """A field that differs. `before` or `after` is absent where the record does not have it."""

    field: str = Field(
        description="Its id; in an object or a list of objects its path", examples=["price", "variants.0.sku"]
    )
    before: Any = Field(default=None, description="Its value as it was, any JSON")
    after: Any = Field(default=None, description="Its value as it becomes, any JSON")


class ChangedRecord(Shape):
    """What becomes of one record."""

    type: str = Field(examples=["contacts"])
    key: str
    outcome: ChangeOutcome
    fields: list[ChangedField]
    row: int = Field(
        default=0, description="The last row that changes it; the first after the header is 1. Absent if none does"
    )


class ChangesQuery(BaseModel):
    """The query of a list of changes."""

    outcome: list[ChangeOutcome] = Field(default=[], description="Only changes with one of these outcomes")
    format: Format | None = Field(default=None, description="All of them as a file, in place of a page")
    limit: int = Field(default=100, ge=1, le=1_000)
    cursor: str | None = None


class ChangeList(Shape):
    """One change for each record, also if several rows make it."""

    links: Links
    results: list[ChangedRecord]


CHANGES_FILE: Final[dict[int | str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/jsonl": {"schema": {"type": "string"}},
        }
    }
}


class RecordName(Shape):
    """A record that an undo would leave alone."""

    type: str
    key: str
    row: int | None = Field(description="The row of the run that changed it. Null if none did")


class UndoReport(Shape):
    """What has come of an undo, in records."""

    removed: int = Field(description="The run had created them")
    restored: int = Field(description="The run had changed them, and they are what they were before")
    put_back: int = Field(description="The run had removed them")
    same: int = Field(description="They were as before already")
    left_alone: int = Field(
        description="Another writer has changed them since: `GET /runs/{run_id}/problems` lists them as changed_since"
    )


class UndoPreview(UndoReport):
    """What an undo would do at this moment."""

    dry_run: Literal[True]
    total: int = Field(description="Changes that it would look at")
    examples: list[RecordName] = Field(description="The first 100 of the records that it would leave alone")
