"""Shapes of exports."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from app.errors import Refused
from app.exports.destinations import MOST_DESTINATIONS
from app.exports.filters import MOST_CONDITIONS, MOST_KEYS
from app.formats.decode import normalize_encoding
from app.mappings.delimiters import DELIMITERS, parse_delimiter
from app.mappings.mapping import DEFAULT
from app.resources.conversion import BadCell
from app.resources.email import convert_email
from app.runs.states import State
from app.storage.exports.selection import Operator
from app.surfaces.native.wire.shape import Links, Moment, RunName, SentShape, json_body
from app.web.shapes import NAMES_OF_VALUES, UNSET_TIME, RunFailure, Shape, Timestamp, WaitingFor

WORDS: Final = {word: character for word, character in DELIMITERS.items() if word != "auto"}
NOT_A_DELIMITER: Final = "`delimiter` must be one of comma, semicolon, tab and pipe"
DELIMITER: Final[dict[str, Any]] = {
    "title": "ExportDelimiter",
    "type": "string",
    "enum": list(WORDS.values()),
    NAMES_OF_VALUES: [word.upper() for word in WORDS],
    "description": "What separates the cells. The words comma, semicolon, tab and pipe are taken as well",
}


def check_delimiter(name: str) -> str:
    """The delimiter of that name. Raises ValueError."""
    delimiter = parse_delimiter(name)
    if delimiter is None or delimiter not in WORDS.values():
        raise ValueError(NOT_A_DELIMITER)
    return delimiter


def check_encoding(name: str) -> str:
    """The encoding of that name. Raises ValueError."""
    try:
        return normalize_encoding(name)
    except Refused as refused:
        raise ValueError(refused.detail) from None


def check_email(address: str) -> str:
    """Raises ValueError."""
    if not isinstance(convert_email(address), BadCell):
        return address
    raise ValueError("`confirmEmail` must be an e-mail address")


class ExportCondition(SentShape):
    """A record has to meet all conditions."""

    field: str = Field(max_length=255)
    operator: Operator = Field(
        description="Numbers and times are compared by their value, other texts by their code points. A list is equal "
        "to each of its items. What is empty differs from every value"
    )
    value: Any = Field(default=None, description="For `in` a list; for `isEmpty` true (the default) or false")


class ExportFilter(SentShape):
    """Which records the file has: those that meet everything that is set."""

    updated_since: Moment | None = Field(default=None, description="Created or changed at this time or later")
    created_since: Moment | None = None
    import_id: str | None = Field(
        default=None, max_length=100, description="Created or last changed by the import with this id"
    )
    keys: list[str] | None = Field(default=None, max_length=MOST_KEYS)
    fields: list[str] | None = Field(
        default=None, min_length=1, max_length=2_000, description="Only these columns, in this order"
    )
    where: list[ExportCondition] = Field(default=[], max_length=MOST_CONDITIONS)


class WantedExportDestination(SentShape):
    """A file on another server. `path` may contain `{date}`, `{time}`, `{type}`, `{name}` and `{id}`."""

    connection_id: str = Field(max_length=100, examples=["con_c421b1e62576a02cbec11b04"])
    path: str = Field(max_length=2_000, examples=["/out/{type}-{date}.csv"])


class ExportBody(SentShape):
    type: str = Field(max_length=100, description="contacts, products, or another type of the account")
    name: RunName | None = Field(default=None, description="What to call the export, for lists and to find it again")
    format: Literal["csv", "jsonl"] = Field(default="csv", description="CSV, or JSON Lines with all that is stored")
    delimiter: Annotated[str, AfterValidator(check_delimiter), WithJsonSchema(DELIMITER)] = ","
    encoding: Annotated[str, AfterValidator(check_encoding)] = Field(default="utf-8", examples=["utf-8"])
    gzip: bool = Field(default=False, description="Whether the file is compressed")
    mapping_id: str = Field(
        default=DEFAULT,
        max_length=100,
        description="default, or the id of a mapping template: the file then has its columns, under its headings and "
        "in its order, with its conversions undone. It is read when the export starts",
    )
    mapping: dict[str, Any] | None = Field(
        default=None, description="In place of `mappingId`: a mapping, as in POST /mappings, without `name` and `type`"
    )
    confirm_email: Annotated[str, AfterValidator(check_email)] | None = Field(
        default=None, description="Who is sent a mail when the export has ended"
    )
    filter: ExportFilter = Field(default=ExportFilter(), description="Which records; all if it is not sent")
    formulas: Literal["keep", "neutralize"] = Field(
        default="keep",
        description="neutralize puts an apostrophe before text that a spreadsheet would take for a formula. An import "
        "with the same mapping takes it off again",
    )
    destinations: list[WantedExportDestination] = Field(
        default=[],
        max_length=MOST_DESTINATIONS,
        description="Where the file is delivered. It can always be downloaded as well",
    )


class ExportDestination(Shape):
    """Where the file goes, and how far that is. A delivery that fails does not fail the export."""

    connection_id: str
    path: str = Field(description="With its placeholders replaced")
    transport: Literal["s3", "sftp", "ftps", "ftp"]
    status: Literal["pending", "delivered", "failed"]
    tries: int
    error: str = Field(default="", description="Why the last try failed; absent if none has, or a later one succeeded")
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
    failure: RunFailure = Field(default=RunFailure(code="", detail=""), description="Present with status failed")
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


EXPORT_BODY: Final = json_body(ExportBody, {"type": "contacts", "format": "csv", "delimiter": ","})
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
