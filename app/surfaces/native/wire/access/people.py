"""Shapes of people who may sign in to the dashboard."""

from typing import Final, Literal

from pydantic import Field

from app.surfaces.native.wire.shape import Links
from app.web.declared.shape import SentShape, json_body
from app.web.shapes import UNSET_TIME, Shape, Timestamp

RoleName = Literal["viewer", "operator", "admin"]
ROLE: Final = (
    "viewer: everything is shown. operator: may start imports and exports and change mapping templates, too. "
    "admin: everything"
)


class InvitationBody(SentShape):
    email: str = Field(
        max_length=254,
        description="The address with which the person signs in",
        json_schema_extra={"format": "email"},
    )
    role: RoleName = Field(description=ROLE)
    name: str = Field(default="", max_length=200, description="Default: the address up to the @")


class RoleBody(SentShape):
    role: RoleName = Field(description=ROLE)


class AccountMember(Shape):
    """A person who belongs to the account, or is invited to it."""

    id: str = Field(examples=["person_0ad7b23f4cf0cff0"])
    email: str
    name: str
    role: RoleName
    created_by: str = Field(default="", description="The key or the person that invited. Absent for the operator")
    created_at: Timestamp
    joined_at: Timestamp = Field(default=UNSET_TIME, description="Absent until the person has used the link")
    signed_in_at: Timestamp = Field(default=UNSET_TIME, description="The last time. Absent if never")


class InvitedMember(AccountMember):
    """A new member with the link to be sent to them, which is shown only in this answer."""

    link: str = Field(
        description="Where the person sets a password, or types the one that they have. It works once, for 24 hours"
    )


class MemberLink(Shape):
    link: str = Field(description="Where the person sets a password. It works once, for 24 hours")


class AccountMemberList(Shape):
    """Ordered by address."""

    links: Links
    results: list[AccountMember]


INVITATION_BODY: Final = json_body(InvitationBody, {"email": "ana@shop.example", "role": "viewer"})
ROLE_BODY: Final = json_body(RoleBody, {"role": "operator"})
