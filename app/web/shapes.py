"""Pydantic models that Connectif's surface and ours share: they document and write responses."""

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


# Stands for a time that is not set; it is never written.
UNSET_TIME = datetime.min.replace(tzinfo=UTC)


def hide_defaults(schema: JsonDict) -> None:
    """Removes defaults from a schema, as fields that are left out have no value, and titles, which repeat names."""
    properties = schema.get("properties")
    for each in properties.values() if isinstance(properties, dict) else ():
        if isinstance(each, dict):
            each.pop("default", None)
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


class RequestError(Shape):
    path: str = Field(description="The part, parameter, column or field that is wrong", examples=["delimiter"])
    reason: str = Field(description="What is wrong, as a sentence that can stand alone")


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
