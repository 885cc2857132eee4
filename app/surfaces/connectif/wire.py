"""Connectif's shapes, letter for letter, and what Sluice adds to them."""

from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from app.connections.declaration import OPEN, SECRETS
from app.transports.options import RULES
from app.web.shapes import UNSET_TIME, Shape, Timestamp

Status = Literal["queued", "inProgress", "finished", "error", "cancelled"]


class Options(Shape):
    """As they were asked for. The last six are Sluice's own."""

    delimiter: str = Field(examples=[","])
    override_existing: bool = Field(description="Whether records that exist are changed")
    update_only_empty_fields: bool = Field(description="Whether of records that exist only empty fields are filled")
    coupon_set_id: str = Field(default="", description="For coupons: the set they went to")
    blank_cells: Literal["keep", "clear", "empty"]
    duplicates: Literal["last", "first", "error"]
    null_marker: str = Field(default="", description="A cell equal to it leaves the field as it is")
    unknown_columns: Literal["ignore", "keep", "error"] = Field(default="ignore", description="If it was asked for")


class Dialect(Shape):
    """How the file was read."""

    format: Literal["csv", "jsonl"]
    delimiter: str
    encoding: str = Field(examples=["utf-8"])


class ErrorSample(Shape):
    line: int = Field(description="Line of the file on which the row begins; the header's is 1")
    row: int = Field(description="Number of the row; the first after the header is 1")
    value: str | None


class ErrorGroup(Shape):
    """Errors of one kind in one column, counted."""

    code: str = Field(examples=["type_error"])
    field: str | None
    column: str | None
    message: str
    count: int
    samples: list[ErrorSample] = Field(description="The first three")


class WarningSample(Shape):
    line: int | None
    row: int
    message: str


class WarningGroup(Shape):
    """Something worth knowing that is no error."""

    code: str = Field(examples=["unknown_column"])
    subject: str
    message: str
    count: int
    samples: list[WarningSample]


class RunFailure(Shape):
    """Why the whole import could not be processed."""

    code: str = Field(examples=["worker_crashed"])
    detail: str


class Source(Shape):
    """Never with credentials, nor with the query of an address, which may hold some."""

    transport: str = Field(examples=["sftp"])
    host: str = ""
    port: int = 0
    path: str = ""
    bucket: str = ""
    region: str = ""


class RunLinks(Shape):
    """Absolute addresses."""

    self: str
    problems: str
    failed_rows: str


class Import(Shape):
    """An import. At every read: total = created + updated + unchanged + skipped + errors + remaining."""

    id: str = Field(examples=["018bcfe568a1c0ffee012345"])
    type: str = Field(description="contacts, products, coupons or a type of the account's own")
    status: Status
    origin: Literal["api"] = Field(description="Where it came from")
    total: int | None = Field(
        description="Rows of the file, without header and blank lines; known from the start, or once a file that is "
        "pulled has been fetched"
    )
    success: int = Field(description="created + updated + unchanged + skipped")
    errors: int = Field(description="Rows that failed")
    error_report_file_url: str = Field(default="", description="Present once errors > 0: the failed rows as CSV")
    options: Options
    created_at: Timestamp
    started_at: Timestamp = Field(default=UNSET_TIME)
    finished_at: Timestamp = Field(default=UNSET_TIME)
    created: int
    updated: int
    unchanged: int
    skipped: int = Field(description="Rows that were left alone on purpose")
    remaining: int | None = Field(description="Rows without an outcome yet; null as long as `total` is")
    done: bool
    outcome: Literal["complete", "partial", "none"] = Field(
        default="none", description="When it has ended: whether all rows went in, some, or none"
    )
    percent: float
    eta_seconds: int = Field(default=0, description="Seconds left at the pace so far, while it is at work")
    queue_position: int = Field(default=0, description="Its place among the account's waiting imports, the first is 1")
    error_summary: list[ErrorGroup]
    warnings: list[WarningGroup]
    failure: RunFailure = Field(default=RunFailure(code="", detail=""), description="Present with status error")
    file_name: str = Field(default="")
    source: Source = Field(default=Source(transport=""), description="Of a file that is pulled: where it comes from")
    fetched_bytes: int = Field(default=0, description="Of a file that is pulled: how much of it is here")
    file_bytes: int = Field(description="Bytes of the file as sent")
    file_sha256: str = Field(description="Of the file as sent")
    dialect: Dialect = Field(default=Dialect(format="csv", delimiter="", encoding=""))
    expires_at: Timestamp = Field(
        default=UNSET_TIME, description="When it has ended: until when it and its file are kept"
    )
    links: RunLinks


class PageLinks(Shape):
    """Absent where there is no such page."""

    next: str = Field(default="")
    prev: str = Field(default="")


class ImportList(Shape):
    """Newest first."""

    links: PageLinks
    results: list[Import]


class ListQuery(BaseModel):
    """The query of GET /imports."""

    page: int = Field(default=1, ge=1, le=1_000_000)
    page_size: int = Field(default=20, alias="pageSize", ge=1, le=100)
    status: Status | None = None
    type: str | None = None


KINDS: Final = {str: "string", int: "integer", bool: "boolean"}


def of_place(word: str) -> dict[str, str]:
    """What a word of a place takes, and for which transports."""
    taking = [scheme for scheme, rules in RULES.items() if word in rules]
    rule = RULES[taking[0]][word]
    return {"type": KINDS[rule.kind], "description": f"For {', '.join(taking)}; {rule.requirement}"}


SOURCE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["transport"],
    "properties": {
        "transport": {"type": "string", "enum": list(RULES)},
        "path": {"type": "string", "description": "The file there, no pattern"},
        "url": {"type": "string", "description": "For http and https: host, port and path in one"},
        **{member: of_place(word) for member, word in {**OPEN, **SECRETS}.items()},
    },
}
BOOLEAN: Final = {"type": "string", "enum": ["true", "false"]}

# The form of POST /imports, as OpenAPI sees it. FastAPI does not read it: the file is never held in memory.
FORM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"type": "string", "description": "contacts, products, coupons, or a type that the account declared"},
        "overrideExisting": BOOLEAN
        | {"description": "Whether records that exist are changed. Required for the three built-in types; else true"},
        "updateOnlyEmptyFields": BOOLEAN
        | {
            "description": "Whether of records that exist only empty fields are filled; only with overrideExisting. "
            "Required for the three built-in types; else false"
        },
        "delimiter": {
            "type": "string",
            "enum": [",", ";", "\t", "|", "auto"],
            "description": "What separates the cells. Required for the three built-in types; else auto",
        },
        "couponSetId": {"type": "string", "description": "The set that coupons go to. Required for coupons"},
        "encoding": {
            "type": "string",
            "default": "utf-8",
            "description": "What the file is written in (utf-8, utf-16, iso-8859-1, iso-8859-15, windows-1250, "
            "windows-1251, windows-1252). Has to stand before the file",
        },
        "format": {
            "type": "string",
            "enum": ["csv", "jsonl"],
            "description": "Unset: told by the file's name, else by its first character",
        },
        "blankCells": {
            "type": "string",
            "enum": ["keep", "clear", "empty"],
            "default": "keep",
            "description": "What an empty cell does: nothing, set null, or store an empty text",
        },
        "nullMarker": {"type": "string", "description": "A cell equal to it leaves the field as it is"},
        "duplicates": {
            "type": "string",
            "enum": ["last", "first", "error"],
            "default": "last",
            "description": "Which of several rows with the same key counts, or whether the later ones are errors",
        },
        "unknownColumns": {
            "type": "string",
            "enum": ["ignore", "keep", "error"],
            "description": "What becomes of a column that the type does not know; unset: as the type declares",
        },
        "connectionId": {"type": "string", "description": "In place of a file: a stored connection, with `path`"},
        "path": {"type": "string", "description": "With `connectionId`: the file there; its worker fetches it"},
        "source": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": SOURCE,
            "description": "In place of a file: where it is, as JSON: the members of a connection and `path`, or `url`",
        },
        "confirmEmail": {"type": "string", "description": "Who is told by mail when the import has ended"},
        "file": {
            "type": "string",
            "format": "binary",
            "description": "CSV with a header, or JSON Lines; plain or gzip; at most 52,428,800 bytes",
        },
    },
}
# The same is taken as JSON when there is no file. That is told in words alone: of two kinds of body generators of
# clients make code that does not run.
REQUEST_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": FORM, "encoding": {"file": {"contentType": "text/csv"}}}},
    }
}
