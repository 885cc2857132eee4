"""The filters of Jobs, which stand in the address of the page and of its stream."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request

from app.dashboard.visitor import Visitor
from app.errors import Complaint, Refused
from app.runs.kinds import Kind
from app.runs.states import State
from app.runs.status import RunQuery
from app.storage.runs import Filter
from app.web.runs.reading import decode_run_cursor, visible_kinds

# Filter of the page -> that of the list.
FILTERS: Final[Mapping[str, Filter]] = {
    "state": "state",
    "type": "type",
    "text": "text",
    "by": "created_by",
    "sync": "sync_id",
    "connection": "connection_id",
}


@dataclass(frozen=True, slots=True)
class JobFilters:
    """The filters in the address; "" where there is none."""

    kind: str = ""
    state: str = ""
    type: str = ""
    text: str = ""
    by: str = ""
    sync: str = ""
    connection: str = ""

    @property
    def any(self) -> bool:
        return any(asdict(self).values())

    def __getitem__(self, name: str) -> str:
        return str(getattr(self, name))

    def address(self, path: str, **more: str) -> str:
        """With these filters, and more."""
        given = {name: value for name, value in (asdict(self) | more).items() if value}
        return f"{path}?{urlencode(given)}" if given else path

    def query(self, visitor: Visitor, cursor: str | None) -> RunQuery:
        """Raises Refused: not_allowed, invalid."""
        kinds = visible_kinds(visitor.caller, read_choice("kind", Kind, self.kind) if self.kind else None)
        if self.state:
            read_choice("state", State, self.state)
        filters = {column: self[name] for name, column in FILTERS.items() if self[name]}
        return RunQuery(kinds, filters, after=decode_run_cursor(cursor))


def read_choice(name: str, choices: type[Any], value: str) -> Any:
    """Raises Refused("invalid")."""
    try:
        return choices(value)
    except ValueError:
        reason = f"There is no {name} “{value[:40]}”"
        raise Refused("invalid", reason, [Complaint(name, reason)]) from None


def read_filters(request: Request) -> JobFilters:
    given = request.query_params
    return JobFilters(**{name: given.get(name, "").strip()[:200] for name in ("kind", *FILTERS)})
