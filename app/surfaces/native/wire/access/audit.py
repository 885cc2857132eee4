"""Shapes of the audit log."""

from typing import Annotated

from pydantic import BaseModel, Field, WithJsonSchema

from app.audit.actions import ACTIONS
from app.observe.acting import ActorKind
from app.surfaces.native.wire.shape import Links
from app.web.declared.shape import Moment
from app.web.shapes import Shape, Timestamp

ActionName = Annotated[str, WithJsonSchema({"type": "string", "enum": list(ACTIONS)})]


class AuditQueryParameters(BaseModel):
    """The query of GET /audit and GET /admin/audit."""

    action: ActionName | None = Field(default=None, description="What was done, as `action` of an entry")
    actor: str | None = Field(
        default=None,
        max_length=320,
        description="Who did it: the id of an API key, person, schedule or feed, the e-mail address of a person, "
        "operator or service",
    )
    what: str | None = Field(default=None, max_length=1_000, description="The id of what it was done to")
    since: Moment | None = Field(default=None, description="Done at this moment or later")
    before: Moment | None = Field(default=None, description="Done before this moment")
    limit: int = Field(default=100, ge=1, le=1_000)
    cursor: str | None = None


class AuditActor(Shape):
    """Who did it. The name is that of the moment: the label of a key, the e-mail address of a person."""

    kind: ActorKind = Field(
        description="key; person; operator: /admin, a command on the machine, or SQL; service: Sluice itself, such as "
        "a schedule or the end of a retention"
    )
    id: str = Field(
        default="",
        description="Of the operator only that of a key for /admin. Absent where nobody had the service do it, and "
        "of a failed sign-in",
    )
    name: str = ""


class AuditSubject(Shape):
    """What it was done to. The name is that of the moment; of a record it is the record type."""

    kind: str = Field(examples=["connection"])
    id: str = ""
    name: str = ""


class AuditEntry(Shape):
    id: str
    at: Timestamp
    action: ActionName
    summary: str = Field(
        description="A sentence for people", examples=["ada@example.org changed the connection shop: host"]
    )
    actor: AuditActor
    what: AuditSubject
    fields: list[str] = Field(
        default=[], description="What was changed: names, never values. Absent if all of it is new"
    )
    surface: str = Field(default="", description="The API, or dashboard. Absent outside of requests, as what follows")
    address: str = Field(
        default="",
        description="Where the request came from, as trusted proxies tell it. Absent for what the operator did, except "
        "in the operator's own log",
    )
    request_id: str = Field(default="", description="As `X-Request-Id` of the answer and in the log of the process")


class AuditList(Shape):
    """The newest comes first."""

    links: Links
    results: list[AuditEntry]
