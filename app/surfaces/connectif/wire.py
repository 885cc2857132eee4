"""Connectif's shapes, to the letter, and what Sluice adds to them."""

from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from app.connections.declaration import SECRETS, SETTINGS
from app.imports.delimiters import DELIMITER_NAMES
from app.transports.options import RULES
from app.web.shapes import UNSET_TIME, Shape, Timestamp

Status = Literal["queued", "inProgress", "finished", "error", "cancelled"]
WaitingFor = Literal["storage", "database", "queue", "source"]  # `part` of the Retryable errors


class Options(Shape):
    """The options of the request. `blankCells` and those after it are Sluice's own."""

    delimiter: str = Field(examples=[","])
    override_existing: bool = Field(description="Whether existing records are updated")
    update_only_empty_fields: bool = Field(description="Whether only the empty fields of existing records are filled")
    coupon_set_id: str = Field(default="", description="For coupons: the set they belong to")
    blank_cells: Literal["keep", "clear", "empty"]
    duplicates: Literal["last", "first", "error"]
    null_marker: str = Field(default="", description="A cell with this value leaves the field as it is")
    unknown_columns: Literal["ignore", "keep", "error"] = Field(
        default="ignore", description="Absent unless it was sent"
    )


class Dialect(Shape):
    """How the file is read."""

    format: Literal["csv", "jsonl"]
    delimiter: str
    encoding: str = Field(examples=["utf-8"])


class ErrorSample(Shape):
    line: int = Field(description="The line on which the row begins. The header is line 1")
    row: int = Field(description="The number of the row. The first row after the header is 1")
    value: str | None


class ErrorGroup(Shape):
    """The errors of one kind in one column, counted."""

    code: str = Field(examples=["type_error"])
    field: str | None
    column: str | None
    message: str
    count: int
    samples: list[ErrorSample] = Field(description="The first three rows")


class WarningSample(Shape):
    line: int | None
    row: int
    message: str


class WarningGroup(Shape):
    """Something worth knowing that is not an error."""

    code: str = Field(examples=["unknown_column"])
    subject: str
    message: str
    count: int
    samples: list[WarningSample]


class RunFailure(Shape):
    """Why the import as a whole could not be processed."""

    code: str = Field(examples=["worker_crashed"])
    detail: str


class Source(Shape):
    """Where the file comes from, without credentials and without the query of a URL, which may hold some."""

    transport: str = Field(examples=["sftp"])
    host: str = ""
    port: int = 0
    path: str = ""
    bucket: str = ""
    region: str = ""


class RunLinks(Shape):
    """Absolute URLs."""

    self: str
    problems: str
    failed_rows: str


class Import(Shape):
    """An import. In every answer, total = created + updated + unchanged + skipped + errors + remaining."""

    id: str = Field(examples=["018bcfe568a1c0ffee012345"])
    type: str = Field(description="contacts, products, coupons, or a type that the account has declared")
    status: Status
    origin: Literal["api"] = Field(description="How the import was started")
    total: int | None = Field(
        description="Rows of the file, without the header and blank lines. Null until a file that the service fetches "
        "has arrived"
    )
    success: int = Field(description="created + updated + unchanged + skipped")
    errors: int = Field(description="Rows that failed")
    error_report_file_url: str = Field(default="", description="The failed rows as CSV. Present once there are errors")
    options: Options
    created_at: Timestamp
    started_at: Timestamp = Field(default=UNSET_TIME)
    finished_at: Timestamp = Field(default=UNSET_TIME)
    created: int
    updated: int
    unchanged: int
    skipped: int = Field(description="Rows that were left out on purpose")
    remaining: int | None = Field(description="Rows that have no outcome yet. Null while `total` is null")
    done: bool
    outcome: Literal["complete", "partial", "none"] = Field(
        default="none",
        description="Present once the import has ended: whether all rows were imported, some of them, or none",
    )
    percent: float
    eta_seconds: int = Field(
        default=0, description="Seconds left at the speed so far. Present while rows are being imported"
    )
    queue_position: int = Field(default=0, description="Its place among the account's queued imports. The first is 1")
    waiting_for: WaitingFor = Field(
        default="storage",
        description="Present while the import can do nothing but wait, and is tried again: for the store of its file, "
        "for the database, for the queue, or for the source of its file",
    )
    error_summary: list[ErrorGroup]
    warnings: list[WarningGroup]
    failure: RunFailure = Field(default=RunFailure(code="", detail=""), description="Present with status error")
    file_name: str = Field(default="")
    source: Source = Field(
        default=Source(transport=""), description="Present if the service fetches the file: where it comes from"
    )
    fetched_bytes: int = Field(
        default=0, description="Present if the service fetches the file: how many bytes have arrived"
    )
    file_bytes: int = Field(description="Size of the file as sent, in bytes")
    file_sha256: str = Field(description="SHA-256 of the file as sent")
    dialect: Dialect = Field(default=Dialect(format="csv", delimiter="", encoding=""))
    expires_at: Timestamp = Field(
        default=UNSET_TIME, description="Present once the import has ended: until when it and its file are kept"
    )
    links: RunLinks


class PageLinks(Shape):
    """A link is absent if there is no such page."""

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


def describe_option(word: str) -> dict[str, str]:
    """The type of an option of a remote, and the transports that it is for."""
    transports = [scheme for scheme, rules in RULES.items() if word in rules]
    rule = RULES[transports[0]][word]
    return {"type": KINDS[rule.kind], "description": f"For {', '.join(transports)}. It {rule.requirement}"}


SOURCE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["transport"],
    "properties": {
        "transport": {"type": "string", "enum": list(RULES)},
        "path": {"type": "string", "description": "The path of one file. Patterns are not allowed here"},
        "url": {"type": "string", "description": "For http and https: the host, port and path in one"},
        **{member: describe_option(word) for member, word in {**SETTINGS, **SECRETS}.items()},
    },
}
BOOLEAN: Final = {"type": "string", "enum": ["true", "false"]}

# The form of POST /imports, for OpenAPI. FastAPI does not read it, because the file must never be held in memory.
FORM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"type": "string", "description": "contacts, products, coupons, or a type that the account declared"},
        "overrideExisting": BOOLEAN
        | {
            "description": "Whether existing records are updated. Required for the three built-in types, otherwise true"
        },
        "updateOnlyEmptyFields": BOOLEAN
        | {
            "description": "Whether only the empty fields of existing records are filled. Can be true only if "
            "`overrideExisting` is true. Required for the three built-in types, otherwise false"
        },
        "delimiter": {
            "type": "string",
            "enum": list(DELIMITER_NAMES),
            "description": "What separates the cells: the character, or a word for it. Required for the three "
            "built-in types, otherwise auto. curl sends a semicolon only with `--form-string`",
        },
        "couponSetId": {"type": "string", "description": "The set that the coupons belong to. Required for coupons"},
        "encoding": {
            "type": "string",
            "default": "utf-8",
            "description": "The encoding of the file: utf-8, utf-16, iso-8859-1, iso-8859-15, windows-1250, "
            "windows-1251 or windows-1252. Must come before the file in the form",
        },
        "format": {
            "type": "string",
            "enum": ["csv", "jsonl"],
            "description": "If it is not set, the file's name decides, or else its first character",
        },
        "blankCells": {
            "type": "string",
            "enum": ["keep", "clear", "empty"],
            "default": "keep",
            "description": "What an empty cell does: keep the field, set it to null, or store an empty string",
        },
        "nullMarker": {"type": "string", "description": "A cell equal to it leaves the field as it is"},
        "duplicates": {
            "type": "string",
            "enum": ["last", "first", "error"],
            "default": "last",
            "description": "Which of several rows with the same key is used, or that the later ones are errors",
        },
        "unknownColumns": {
            "type": "string",
            "enum": ["ignore", "keep", "error"],
            "description": "What happens to a column that the type does not have. If it is not set, the type decides",
        },
        "connectionId": {
            "type": "string",
            "description": "Instead of a file: a stored connection, together with `path`",
        },
        "path": {
            "type": "string",
            "description": "With `connectionId`: the path of the file there. The service fetches it",
        },
        "source": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": SOURCE,
            "description": "Instead of a file: where it is, as JSON: the members of a connection and `path`, or `url`",
        },
        "confirmEmail": {"type": "string", "description": "The e-mail address to notify when the import has ended"},
        "file": {
            "type": "string",
            "format": "binary",
            "description": "CSV with a header, or JSON Lines, plain or gzipped, at most 52,428,800 bytes",
        },
    },
}
# Without a file the same is accepted as JSON. Only the text says so: from two kinds of body, generators of clients make
# code that does not run.
REQUEST_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": FORM, "encoding": {"file": {"contentType": "text/csv"}}}},
    }
}
