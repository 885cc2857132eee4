"""Reads the audit log of an account, or what is for the operator alone, and says each entry in a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.audit.actions import ACTIONS
from app.runs.model import AccountId
from app.storage.audit import rows
from app.storage.audit.rows import Filter
from app.storage.database import ReadSession

NOBODY: Final[Mapping[str, str]] = {"operator": "The operator", "service": "The service"}
# Who failed to sign in with what is no address.
NO_NAME: Final = "a name that is no e-mail address"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done. `fields`: what was changed by it, as it is called in answers."""

    id: int
    at: datetime
    action: str  # of ACTIONS
    actor_kind: str  # app.observe.acting.ActorKind
    # Of the key or person, and of the schedule or feed behind what the service did. None: a person who is not known.
    actor_id: str | None
    actor_name: str | None  # what that one was called then
    what_id: str | None
    what_name: str | None  # what it was called then
    fields: tuple[str, ...]
    address: str | None
    surface: str | None
    request_id: str | None

    @property
    def what_kind(self) -> str:
        return self.action.partition(".")[0]

    @property
    def who(self) -> str:
        """A person by the e-mail address, a key by its label."""
        return self.actor_name or NOBODY.get(self.actor_kind) or self.actor_id or "Somebody"

    @property
    def what(self) -> str:
        """What somebody did, without its subject: "changed the connection shop: host"."""
        deed, name = ACTIONS.get(self.action, self.action), self.what_name or self.what_id or NO_NAME
        if self.what_kind == "record":
            name = f"{self.what_id} of {self.what_name}"
        told = deed if self.what_kind == "session" else f"{deed} {name}"
        return f"{told}: {', '.join(self.fields)}" if self.fields else told


@dataclass(frozen=True, slots=True)
class DeedQuery:
    """`after` is the moment and the id of the last entry that was seen."""

    filters: Mapping[Filter, str]
    since: datetime | None = None
    before: datetime | None = None
    after: tuple[datetime, int] | None = None


async def list_deeds(
    session: ReadSession, account_id: AccountId | None, query: DeedQuery, *, limit: int
) -> tuple[list[Deed], bool]:
    """A page of the log, newest first, and whether there are more. None: what is of no account, for the operator."""
    page = rows.select_page(
        account_id, query.filters, since=query.since, before=query.before, after=query.after, limit=limit + 1
    )
    found = await rows.list_page(session, page)
    return [deed_from(row) for row in found[:limit]], len(found) > limit


def deed_from(row: Mapping[Any, Any]) -> Deed:
    """An account is not told where the operator's machines are."""
    known = {name: row[name] for name in Deed.__slots__ if name != "fields"}
    if row["actor_kind"] == "operator" and row["account_id"] is not None:
        known["address"] = None
    return Deed(**known, fields=tuple(map(to_member, row["fields"])))


def to_member(column: str) -> str:
    """A column as the member of an answer is called: `on_failed` is `onFailed`."""
    first, *rest = column.split("_")
    return first + "".join(each.capitalize() for each in rest)
