"""The form of a connection: read as a request of the API is, and shown again with what is wrong."""

from collections.abc import Mapping

from starlette.datastructures import FormData

from app.connections.declaration import SECRETS
from app.dashboard.forms import FilledForm, text_of
from app.dashboard.views.connections.fields import list_members, name_fields
from app.errors import Complaint, Refused
from app.transports.options import RULES

FLAGS: Mapping[str, bool] = {"true": True, "false": False}


def read_members(form: FormData, transport: str) -> dict[str, object]:
    """The members of a connection as the API takes them. What is empty is left out."""
    members = {member: read_member(form, member) for member in ("name", *list_members(transport))}
    return {"transport": transport, **{member: value for member, value in members.items() if value != ""}}


def read_member(form: FormData, member: str) -> object:
    if member in SECRETS:
        return str(form.get(member, ""))  # as it is: a password may begin with a blank
    text = text_of(form, member)
    if member == "pathStyle":
        return FLAGS.get(text, text)
    return int(text) if member == "port" and text.isdecimal() and text.isascii() else text


def is_transport(transport: str) -> bool:
    return transport in RULES


def show_again(members: Mapping[str, object], transport: str, refused: Refused) -> FilledForm:
    """What was typed, without secrets, and what the engine has refused."""
    values = {member: members.get(member) for member in ("name", *list_members(transport))}
    shown = {member: None if member in SECRETS else show_flag(value) for member, value in values.items()}
    given = refused.complaints or (Complaint("", refused.detail),)
    return FilledForm(shown).complain(Complaint(each.path, name_fields(each.reason)) for each in given)


def show_flag(value: object) -> object:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value
