"""The posted form of the columns: what is chosen for the rows that it shows, and where the person goes from there."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from starlette.datastructures import FormData

from app.dashboard.forms import FilledForm, text_of
from app.dashboard.views.columns.conversions import read_values
from app.dashboard.views.columns.rows import IGNORE
from app.drafts.columns.choice import IGNORED, ColumnChoice, check_choice
from app.errors import Complaint, Refused
from app.resources.schema import Resource

NEXT: Final = "next"  # the button that goes on, or saves; every other one stays on the page
_match_field = re.compile(r"([A-Za-z]+)-([0-9]{1,4})").fullmatch


@dataclass(frozen=True, slots=True)
class FilledColumns:
    """`chosen` by the indexes of columns, without what is wrong; `form` with what was typed, and what is wrong."""

    chosen: dict[int, ColumnChoice]
    form: FilledForm
    go: str
    number: int
    only: bool

    def complaining(self, complaints: Iterable[Complaint]) -> "FilledColumns":
        return replace(self, form=self.form.complain(complaints))

    def refused(self, refused: Refused, fields: Mapping[str, str] | None = None) -> "FilledColumns":
        return replace(self, form=self.form.refused(refused, fields))

    def address(self, base: str) -> str:
        """The page that a button other than NEXT leads to."""
        if self.go in ("all", "needs"):
            return base if self.go == "all" else f"{base}?only=true"
        number = read_number(self.go.removeprefix("page-")) if self.go.startswith("page-") else self.number
        query = ({"page": number} if number > 1 else {}) | ({"only": "true"} if self.only else {})
        return f"{base}?{urlencode(query)}" if query else base


def read_columns(form: FormData, names: Sequence[str], resource: Resource) -> FilledColumns:
    """`names` are what the columns are called, by their indexes."""
    typed: dict[int, dict[str, str]] = defaultdict(dict)
    for key, value in form.items():
        match = _match_field(key)
        if match and isinstance(value, str) and int(match[2]) < len(names):
            typed[int(match[2])][match[1]] = value
    chosen: dict[int, ColumnChoice] = {}
    complaints: list[Complaint] = []
    for index, values in typed.items():
        field = values.pop("field", "").strip()
        wanted = IGNORED if field == IGNORE else field or None
        checked = check_choice(index, names[index], wanted, read_values(values), resource)
        chosen[index] = checked.choice
        complaints += checked.complaints
    shown = FilledForm({key: value for key, value in form.items() if isinstance(value, str)})
    number = read_number(text_of(form, "number"))
    return FilledColumns(chosen, shown.complain(complaints), text_of(form, "go"), number, bool(text_of(form, "only")))


def read_number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= 4 else 1
