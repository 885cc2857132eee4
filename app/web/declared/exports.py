"""What an export is asked for with."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from app.auth.caller import Caller
from app.errors import Refused
from app.exports.destinations import MOST_DESTINATIONS
from app.exports.filters import MOST_CONDITIONS, MOST_KEYS
from app.exports.intake import ExportRequest, read_request
from app.formats.decode import normalize_encoding
from app.mappings.delimiters import DELIMITERS, parse_delimiter
from app.mappings.mapping import DEFAULT, INLINE
from app.resources.conversion import BadCell
from app.resources.email import convert_email
from app.storage.exports.selection import Operator
from app.web.caller import ensure_scope
from app.web.declared.shape import Moment, RunName, SentShape, WebhookId, json_body
from app.web.shapes import NAMES_OF_VALUES

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
    webhook_id: WebhookId = None
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


EXPORT_BODY: Final = json_body(ExportBody, {"type": "contacts", "format": "csv", "delimiter": ","})


def ensure_may_export(caller: Caller, mapping_id: str, destinations: Sequence[object]) -> None:
    """For what an export reads besides records. Raises Refused("not_allowed")."""
    if destinations:
        ensure_scope(caller, "connections:read")
    if mapping_id not in (DEFAULT, INLINE):
        ensure_scope(caller, "mappings:read")


def build_request(caller: Caller, body: ExportBody, request: str) -> ExportRequest:
    """`request` is the id of the request. Raises Refused("invalid")."""
    return read_request(caller.account_id, dump_body(body), sender=caller.identity, request_id=request)


def dump_body(body: ExportBody) -> dict[str, Any]:
    """What the caller has set, as JSON. Pydantic itself makes JSON of values of at most 255 levels."""
    members = body.model_dump(by_alias=True, exclude_unset=True)
    times = {name: at for name, at in members.get("filter", {}).items() if isinstance(at, datetime)}
    if times:
        members["filter"] |= {name: at.isoformat().replace("+00:00", "Z") for name, at in times.items()}
    return members
