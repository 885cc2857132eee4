"""Shapes of exports."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, WithJsonSchema

from app.runs.states import State
from app.surfaces.native.wire.shape import Links
from app.web.declared.shape import RunName, SentShape, json_body
from app.web.shapes import NO_WAIT, STARTS_AT, UNSET_TIME, WAITS_FOR, RunFailure, Shape, Timestamp, WaitingFor, WaitsFor


class ExportDestination(Shape):
    """Where the file goes, and how far that is. A delivery that fails does not fail the export."""

    connection_id: str
    path: str = Field(description="With its placeholders replaced")
    transport: Literal["s3", "sftp", "ftps", "ftp"]
    status: Literal["pending", "delivered", "failed"]
    tries: int
    error: str = Field(default="", description="Why the last try failed; absent if none has, or a later one succeeded")
    failed_step: str = Field(
        default="",
        description="Where the last try failed, as a test of the connection names it: address, resolve, connect, "
        "authenticate, find or write",
    )
    tried_at: Timestamp = Field(default=UNSET_TIME, description="When the last try ended; absent before that")


class ExportRerunBody(SentShape):
    name: RunName | None = Field(default=None, description="What to call it, if it is called otherwise")


class ExportFile(Shape):
    name: str
    bytes: int
    sha256: str
    url: str = Field(description="Where it can be downloaded, with the key")


class ExportWarning(Shape):
    """Something worth knowing that is not an error."""

    code: str = Field(examples=["mail_not_configured"])
    message: str


class ExportLinks(Shape):
    """Absolute URLs."""

    self: str
    file: str
    cancel: str = Field(default="", description="Present until it has ended")


class Export(Shape):
    id: str = Field(examples=["018bcfe568a1c0ffee012345"])
    name: str = Field(default="", description="What the export is called. Present if it was given a name")
    parent_id: str = Field(
        default="", description="Present if it was started from another export, which is still kept: the id of that"
    )
    relation: str = Field(
        default="", description="Present if it was started from another export: what it is to it", examples=["rerun"]
    )
    type: str
    status: State
    format: Literal["csv", "jsonl"]
    delimiter: str
    encoding: str
    gzip: bool
    formulas: Literal["keep", "neutralize"]
    mapping_id: str = Field(description="default, inline if the request brought one, or the id of a template")
    # Without a type: generators would call an object of its own here as they call that of the request.
    filter: Annotated[dict[str, Any], WithJsonSchema({})] = Field(
        default={}, description="Which records, as it was sent. Present if it was, and not in lists"
    )
    total: int | None = Field(description="Records that the file will have. Null until they are counted")
    written: int = Field(description="How many of them are written")
    done: bool
    percent: float
    eta_seconds: int = Field(default=0, description="Seconds left at the speed so far. Present while it is written")
    queue_position: int = Field(
        default=0, description="Present while it is queued: its place among the queued exports of the account"
    )
    waiting_for: WaitingFor = Field(
        default="storage", description="Present while the export can do nothing but wait, and is tried again"
    )
    waits_for: WaitsFor = Field(default=NO_WAIT, description=WAITS_FOR)
    starts_at: Timestamp = Field(default=UNSET_TIME, description=STARTS_AT)
    failure: RunFailure = Field(
        default=RunFailure(code="", detail=""), description="Present with status failed or cancelled"
    )
    file: ExportFile = Field(
        default=ExportFile(name="", bytes=0, sha256="", url=""), description="Present once the file is complete"
    )
    destinations: list[ExportDestination] = Field(
        default=[],
        description="Present if the file is delivered. The export ends when none of them is pending any more",
    )
    warnings: list[ExportWarning]
    created_at: Timestamp
    started_at: Timestamp = Field(default=UNSET_TIME)
    finished_at: Timestamp = Field(default=UNSET_TIME)
    expires_at: Timestamp = Field(
        default=UNSET_TIME, description="Present once the export has ended: until when it and its file are kept"
    )
    links: ExportLinks


class ExportList(Shape):
    """Newest first."""

    links: Links
    results: list[Export]


EXPORT_RERUN_BODY: Final = json_body(ExportRerunBody, {}, required=False)
FILE_CONTENT: Final[dict[str, Any]] = {
    media: {"schema": {"type": "string", "format": "binary"}}
    for media in ("text/csv", "application/jsonl", "application/gzip")
}
ETAG: Final[dict[str, Any]] = {
    "ETag": {"schema": {"type": "string"}, "description": "The SHA-256 of the file in hexadecimal, in quotes"},
    "Accept-Ranges": {"schema": {"type": "string", "enum": ["bytes"]}},
}
CONTENT_RANGE: Final[dict[str, Any]] = {
    "Content-Range": {"schema": {"type": "string", "examples": ["bytes 0-1023/146515"]}},
}
EXPORT_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": FILE_CONTENT, "description": "The whole file", "headers": ETAG},
    206: {"content": FILE_CONTENT, "description": "The part that `Range` asks for", "headers": ETAG | CONTENT_RANGE},
    304: {"description": "The client has this file: its `ETag` is in `If-None-Match`", "headers": ETAG},
    416: {"description": "No byte of the file is in the range", "headers": ETAG | CONTENT_RANGE},
}
