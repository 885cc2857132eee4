"""What several shapes share: names, moments, texts that can be stored, and how a shape becomes the body of a request
in OpenAPI."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator

from app.runs.acceptance import parse_run_name
from app.web.shapes import Shape

WEBHOOK_ID: Final = "The webhook that is told how this run has ended, also one that is told only of runs that name it"
WebhookId = Annotated[str | None, Field(max_length=100, description=WEBHOOK_ID)]
# What people call a run.
RunName = Annotated[str, AfterValidator(parse_run_name), WithJsonSchema({"type": "string", "maxLength": 200})]


NOT_A_MOMENT: Final = "must be a time with its zone, such as 2026-11-27T10:00:00Z"


def refuse_number(sent: object) -> object:
    """Pydantic takes a number for seconds since 1970. Raises ValueError."""
    if not isinstance(sent, str) or "-" not in sent[1:]:
        raise ValueError(NOT_A_MOMENT)
    return sent


def to_utc(at: datetime) -> datetime:
    """Raises ValueError for a time without its zone, and for one that no calendar in UTC has."""
    if at.tzinfo is None:
        raise ValueError(NOT_A_MOMENT)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie between the years 1 and 9999 in UTC") from None


Moment = Annotated[datetime, BeforeValidator(refuse_number), AfterValidator(to_utc)]


class SentShape(Shape):
    """What callers send: without NUL characters, because PostgreSQL cannot store them."""

    @field_validator("*")
    @classmethod
    def refuse_nul(cls, value: object) -> object:
        """Raises ValueError."""
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(each, str) and "\0" in each for each in texts):
            raise ValueError("must not contain NUL characters")
        return value


def json_body(
    shape: type[Shape], example: dict[str, Any], *, closed: bool = True, required: bool = True
) -> dict[str, Any]:
    """A request body as OpenAPI describes it. FastAPI cannot see it, because the handlers read bytes. `example` is what
    the page at /docs sends unless it is changed. `closed`: members that it does not have are refused."""
    schema = shape.model_json_schema()
    schema = put_in_place(schema, schema.pop("$defs", {}))
    if not closed:
        del schema["additionalProperties"]
    content = {"schema": schema, "example": example}
    return {"requestBody": {"required": required, "content": {"application/json": content}}}


def put_in_place(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with its definitions where it refers to them. Those with a title become components of the document."""
    if isinstance(schema, list):
        return [put_in_place(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    named = definitions.get(str(schema.get("$ref", "")).rpartition("/")[2])
    beside = {member: value for member, value in schema.items() if named is None or member != "$ref"}
    return {member: put_in_place(value, definitions) for member, value in {**(named or {}), **beside}.items()}
