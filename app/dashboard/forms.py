"""What a person has typed into a form, and what is wrong with it: both are shown again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData

from app.errors import Complaint, Refused

MOST_FIELDS = 10_000  # a mapping of 2,000 columns has several fields for each


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
        path without a field complains about the form as a whole."""
        names = fields or {}
        given = refused.complaints or (Complaint("", refused.detail),)
        return self.complain(Complaint(names.get(each.path, each.path), each.reason) for each in given)

    def complain(self, complaints: Iterable[Complaint]) -> "FilledForm":
        placed = (each if each.path in self.values else Complaint("", each.reason) for each in complaints)
        return FilledForm(self.values, (*self.complaints, *placed))


async def read_form(request: Request) -> FormData:
    """The fields of a posted form without files, at most 10,000. Several fields may have one name."""
    return await request.form(max_files=0, max_fields=MOST_FIELDS)


def text_of(form: FormData, name: str) -> str:
    """A field without blanks around it; "" when it is missing."""
    found = form.get(name, "")
    return found.strip() if isinstance(found, str) else ""
