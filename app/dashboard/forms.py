"""What a person has typed into a form, and what is wrong with it: both are shown again."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import FormData

from app.errors import Complaint, Refused
from app.web.bodies.arrival import body_chunks, read_body
from app.web.bodies.form_body import MEDIA_TYPE
from app.web.caller import known_caller
from app.web.requests import get_runtime

MOST_FIELDS = 10_000  # a mapping of 2,000 columns has several fields for each
MOST_BYTES = 1_048_576
MOST_OPEN_BYTES = 8_192
OF_ACCOUNT: Final = "of_account"  # the account in which a form was shown; a form that makes something names it
FORM: Final = "form"  # where the scope of a request holds the form that it brought
LABELS: Final = re.compile(r'<(?:label for|fieldset [^>]*?id)="([^"]+)"[^>]*>\s*(?:<legend>)?([^<]+)')
is_secret = re.compile("password|secret|token|key|passphrase", re.IGNORECASE).search


@dataclass(frozen=True, slots=True)
class FilledForm:
    """Values by field, and complaints whose `path` is the name of a field, or "" for the form as a whole."""

    values: Mapping[str, Any] = field(default_factory=dict)
    complaints: tuple[Complaint, ...] = ()

    def value(self, name: str) -> str:
        """As the field shows it: true is "true", none and false are empty."""
        found = self.values.get(name)
        return "" if found is None or found is False else "true" if found is True else str(found)

    def error(self, name: str) -> str:
        return next((each.reason for each in self.complaints if each.path == name), "")

    def refused(self, refused: Refused, fields: Mapping[str, str] | None = None) -> "FilledForm":
        """The same values with what the engine has refused. `fields`: path in the complaint -> field of the form; a
        path without a field complains about the form as a whole. Raises the refusal itself if nobody is signed in any
        more; of a password that is wrong there is a complaint."""
        if refused.code == "not_authenticated" and not refused.complaints:
            raise refused
        return self.explain(refused, fields)

    def explain(self, refused: Refused, fields: Mapping[str, str] | None = None) -> "FilledForm":
        """As `refused`, of a form that asks for a password or a key itself: a wrong one is a complaint."""
        names = fields or {}
        given = refused.complaints or (Complaint("", refused.detail),)
        return self.complain(rename_field(each, names.get(each.path, each.path)) for each in given)

    def complain(self, complaints: Iterable[Complaint]) -> "FilledForm":
        placed = (each if each.path in self.values else Complaint("", each.reason) for each in complaints)
        return FilledForm(self.values, (*self.complaints, *placed))

    def call_by_labels(self, page: str) -> "FilledForm":
        """The same, with complaints that call a field as the page does, and not as requests do."""
        labels = {name: f"“{unescape(label.strip())}”" for name, label in LABELS.findall(page)}
        named = [rename_field(each, each.path, labels.get(each.path, "")) for each in self.complaints]
        return FilledForm(self.values, tuple(named))


def rename_field(complaint: Complaint, path: str, words: str = "") -> Complaint:
    """The complaint about another `path`. Its sentence calls that by these words, else by its name in backticks."""
    reason = complaint.reason
    if complaint.path and path:
        reason = reason.replace(f"`{complaint.path}`", words or f"`{path}`")
    return Complaint(path, reason)


async def read_form(request: Request) -> FormData:
    """The fields of a posted form without files, at most 10,000 in 1 MiB. Several fields may have one name.

    Raises Refused: unsupported_media_type, too_large, too_many_requests, bad_request, invalid (of another account).
    """
    check_media_type(request)
    idle = get_runtime(request.scope).settings.upload_idle_seconds
    form = request.scope[FORM] = parse_form(await read_body(request, MOST_BYTES, idle=idle))
    ensure_same_account(request, form)
    return form


def ensure_same_account(request: Request, form: FormData) -> None:
    """Raises Refused("invalid") for a form of an account that the person has left since, in another window: it would
    make in one account what was meant for another one."""
    caller, shown_in = known_caller(request), form.get(OF_ACCOUNT)
    if shown_in not in (None, str(caller.account_id)):
        raise Refused("invalid", f"You are in {caller.account} now, and this form is of another account. Open it again")


async def read_open_form(request: Request) -> FormData:
    """The same from somebody who has not signed in: at most 8 KiB."""
    check_media_type(request)
    body = bytearray()
    async for chunk in body_chunks(request, idle=get_runtime(request.scope).settings.upload_idle_seconds):
        body += chunk
        if len(body) > MOST_OPEN_BYTES:
            raise Refused("too_large", "The form is too large")
    form = request.scope[FORM] = parse_form(bytes(body))
    return form


def check_media_type(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MEDIA_TYPE:
        raise Refused("unsupported_media_type", f"Send the fields as {MEDIA_TYPE}")


def parse_form(body: bytes) -> FormData:
    """Raises Refused("bad_request") for what is no form, and for NUL characters, which PostgreSQL cannot store."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Refused("bad_request", f"The body is not a form in UTF-8 with at most {MOST_FIELDS:,} fields") from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise Refused("bad_request", "The form has NUL characters")
    return FormData([*pairs])


def text_of(form: FormData, name: str) -> str:
    """A field without blanks around it; "" when it is missing."""
    found = form.get(name, "")
    return found.strip() if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form that could not be dealt with, to be sent once more: without secrets, which no page shows."""

    action: str
    fields: list[tuple[str, str]]
    has_secrets: bool


def keep_form(request: Request) -> KeptForm | None:
    """The form that the request brought, as far as it was read."""
    form: FormData | None = request.scope.get(FORM)
    if form is None:
        return None
    given = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    fields = [(name, value) for name, value in given if not is_secret(name)]
    query = f"?{request.url.query}" if request.url.query else ""
    return KeptForm(request.scope["path"] + query, fields, any(value for name, value in given if is_secret(name)))
