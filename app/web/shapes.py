"""The shapes that Connectif's surface and ours share, as pydantic models: they document, and write the answers."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from app.errors import REFUSALS


def format_timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    datetime,
    PlainSerializer(format_timestamp, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


# Stands in for a time that is not set, and is never shown.
UNSET_TIME = datetime.min.replace(tzinfo=UTC)


def hide_defaults(schema: JsonDict) -> None:
    """A field that is left out has no value: a default in the description would be a lie. Titles only repeat names."""
    properties = schema.get("properties")
    for each in properties.values() if isinstance(properties, dict) else ():
        if isinstance(each, dict):
            each.pop("default", None)
            each.pop("title", None)


class Shape(BaseModel):
    """Camel case on the wire; a field that was not set is left out."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        json_schema_extra=hide_defaults,
    )

    def encoded(self) -> bytes:
        return self.model_dump_json(by_alias=True, exclude_unset=True).encode()


class RequestError(Shape):
    path: str = Field(description="The part, parameter, column or field that is wrong", examples=["delimiter"])
    reason: str = Field(description="What is wrong with it")


class ProblemDocument(Shape):
    """Why a request was refused (RFC 9457)."""

    type: str = Field(description="`urn:sluice:problem:` and the reason's name")
    title: str
    status: int
    detail: str = Field(description="For people")
    instance: str = Field(description="The path of the request")
    code: str = Field(
        description=f"For programs. One of {', '.join([*REFUSALS, 'internal_error'])}; E0401 stands for queue_full "
        "under /imports"
    )
    errors: list[RequestError] = Field(description="Everything that is wrong with the request, at once")
    validation_errors: list[RequestError] = Field(default=[], description="With status 422: the same list again")
