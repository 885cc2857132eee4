"""Pydantic models that Connectif's surface and ours share: they document and write responses."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from app.errors import REFUSALS, join_choices
from app.mappings.delimiters import DELIMITERS
from app.runs.families.totals import FamilyTotals


def format_timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    datetime,
    PlainSerializer(format_timestamp, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


# How generators of clients are told the names of an enum's values.
NAMES_OF_VALUES: Final = "x-enum-varnames"


# A component of the document under its title, so that generated clients have words for the characters.
DELIMITER: Final[dict[str, Any]] = {
    "title": "Delimiter",
    "type": "string",
    "enum": list(DELIMITERS.values()),
    NAMES_OF_VALUES: [word.upper() for word in DELIMITERS],
    "description": f"What separates the cells. The words {join_choices(DELIMITERS)} are taken as well",
}

# `part` of the Retryable errors.
WaitingFor = Literal["storage", "database", "queue", "source", "destination", "secrets", "machine"]

# Stands for a time that is not set; it is never written.
UNSET_TIME = datetime.min.replace(tzinfo=UTC)


def hide_defaults(schema: JsonDict) -> None:
    """Removes defaults from a schema, as fields that are left out have no value, and titles, which repeat names, except
    of an enum that names its values: it is a model of its own."""
    properties = schema.get("properties")
    for each in properties.values() if isinstance(properties, dict) else ():
        if isinstance(each, dict):
            each.pop("default", None)
            if NAMES_OF_VALUES not in each:
                each.pop("title", None)


class Shape(BaseModel):
    """A model with camel case names on the wire, which leaves out fields that were not set."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        json_schema_extra=hide_defaults,
    )

    def encoded(self) -> bytes:
        return self.model_dump_json(by_alias=True, exclude_unset=True).encode()


class Change(Shape):
    """What a fix says of a column. Of the members after `column` those are there that it is about."""

    column: str = Field(description="The heading in the file")
    field: str = Field(default="", description="The field that it should fill")
    from_: str = Field(default="", alias="from", description="A value of the file")
    to: str = Field(default="", description="What that value should be")
    decimal_comma: bool = Field(default=False)
    date_format: str = Field(default="")


class Fix(Shape):
    """What would mend it, for programs. Absent if nobody can say."""

    action: Literal["correct", "importAgain"] = Field(
        description="`correct`: send `corrections` to `POST /imports/{id}/corrections`. `importAgain`: import the "
        "whole file again, with these `options`, or with a mapping that has these among its `columns`"
    )
    corrections: list[Change] = Field(default=[])
    columns: list[Change] = Field(default=[])
    options: dict[str, str] = Field(default={}, examples=[{"delimiter": "semicolon"}])


# Stands for a fix that is absent; it is never written.
NO_FIX: Final = Fix(action="correct")


class RequestError(Shape):
    path: str = Field(description="The part, parameter, column or field that is wrong", examples=["delimiter"])
    reason: str = Field(description="What is wrong, as a sentence that can stand alone")
    fix: Fix = Field(default=NO_FIX, description="Present if the beginning of a file shows what would mend it")


class TakenPlace(Shape):
    """A run that holds a place in the queue."""

    id: str
    kind: str = Field(examples=["import"])
    name: str = Field(default="", description="What it is called, or else its file. Absent if it has neither")
    type: str
    status: str = Field(description="As in `GET /runs`", examples=["running"])
    percent: float
    eta_seconds: int = Field(default=0, description="Seconds left at the speed so far. Present while it is at work")
    waiting_for: WaitingFor = Field(
        default="storage", description="Present while it can do nothing but wait, and is tried again: what for"
    )


class FullQueue(Shape):
    """What holds the places of a queue that is full."""

    limit: int = Field(description="How many runs of the kind may be waiting, running or held")
    open: int
    runs: list[TakenPlace] = Field(description="In the order in which they were accepted")


class ProblemDocument(Shape):
    """Why a request was refused, as a problem document (RFC 9457)."""

    type: str = Field(description="`urn:sluice:problem:` followed by the code of the refusal")
    title: str
    status: int
    detail: str = Field(description="What is wrong, for people")
    instance: str = Field(description="The path of the request")
    code: str = Field(
        description=f"What is wrong, for programs: one of {', '.join([*REFUSALS, 'internal_error'])}; under /imports "
        "E0401 stands for queue_full"
    )
    errors: list[RequestError] = Field(description="Everything that is wrong with the request")
    validation_errors: list[RequestError] = Field(default=[], description="With status 422: the same list as `errors`")
    queue: FullQueue = Field(
        default=FullQueue(limit=0, open=0, runs=[]),
        description="Present if a queue is full, for keys that may read its runs: what holds the places. `Retry-After` "
        "says when the first one is likely to be free",
    )


class WaitsFor(Shape):
    """What a run that does not move waits for."""

    code: Literal["turn", "worker", "decision"] | WaitingFor = Field(
        description="`turn`: a worker that is free. `worker`: there is none. `decision`: somebody has to "
        "resume, commit or cancel it. Anything else as `waitingFor`"
    )
    detail: str = Field(description="The same in whole sentences")


# Stands for what a run does not wait for; it is never written.
NO_WAIT: Final = WaitsFor(code="turn", detail="")
WAITS_FOR: Final = "Present while it does not move: what it waits for"
STARTS_AT: Final = "Present while that can be told: about when it starts, as others did before, or is tried again"


class RunFamily(Shape):
    """An import, and the retries and corrections that came of it. total = success + failed."""

    first_id: str = Field(description="The import that all of them came of")
    runs: int = Field(description="How many imports these are, the first one included")
    open: int = Field(description="How many of them have not ended")
    total: int = Field(description="Rows of the first import's file")
    success: int = Field(description="How many of them have gone in, with any of the imports")
    failed: int = Field(description="How many have not")


NO_FAMILY = RunFamily(first_id="", runs=0, open=0, total=0, success=0, failed=0)


def render_family(family: FamilyTotals | None) -> RunFamily | None:
    if family is None:
        return None
    return RunFamily(
        first_id=family.first_id,
        runs=family.runs,
        open=family.open,
        total=family.total,
        success=family.success,
        failed=family.failed,
    )


class RunFailure(Shape):
    """Why a run as a whole could not be processed."""

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
    connection_id: str = Field(default="", description="The stored connection that it is, if it is one")
    complete: bool = Field(
        default=False,
        description="Present if this is enough to fetch the file again: the rest is stored with the connection, or "
        "there are neither credentials nor a query",
    )
