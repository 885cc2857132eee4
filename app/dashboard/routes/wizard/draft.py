"""The draft of a request: loaded for its account, and where the browser has to go if a step is not for it."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi.responses import Response

from app.dashboard.render import redirect
from app.dashboard.visitor import Visitor
from app.drafts.draft import Draft, Step, ensure_few_drafts, load_draft
from app.errors import Refused
from app.mappings.mapping import DEFAULT
from app.runtime import Runtime
from app.web.caller import ensure_scope

BASE: Final = "/app/imports/new"
LOOKED_AT: Final[tuple[Step, ...]] = ("columns", "check")  # steps that show what is in the file
NO_MAPPING: Final = "The mapping template that was chosen is there no more. Choose another one, or a record type."
NOT_LOOKED_AT: Final = "Nothing of the file is known yet. Look at its beginning first."


async def ensure_room(runtime: Runtime, visitor: Visitor) -> None:
    """Before a byte of a file is read. Raises Refused("queue_full") if the account has too many drafts."""
    async with runtime.database.read() as session:
        await ensure_few_drafts(session, visitor.account_id)


async def open_draft(runtime: Runtime, visitor: Visitor, draft_id: str) -> Draft:
    """Raises Refused("not_found")."""
    async with runtime.database.read() as session:
        return await load_draft(session, visitor.account_id, draft_id)


def find_other_page(draft: Draft, step: Step) -> Response | None:
    """A draft that has become an import leads to that, and a step that was not reached yet to the next one; None for a
    step that can be shown."""
    if draft.run_id is not None:
        return redirect(f"/app/imports/{draft.run_id}")
    if step in LOOKED_AT and draft.facts is None:
        return go_to(draft, "source", NOT_LOOKED_AT)
    return None if draft.has_reached(step) else go_to(draft, draft.step)


def lead_from(draft: Draft, refused: Refused) -> Response:
    """Where a step leads that cannot be shown without the file. Raises the refusal for another reason."""
    if refused.code != "gone":
        raise refused
    return go_to(draft, "source", f"{refused.detail}.")


def go_to(draft: Draft, step: Step, notice: str = "") -> Response:
    return redirect(f"{BASE}/{draft.id}/{step}", notice)


def ensure_may_fetch(visitor: Visitor, source: Mapping[str, Any] | None) -> None:
    """A draft with a stored connection is only for those who may use connections. Raises
    Refused("not_allowed")."""
    if source and "connection_id" in source:
        ensure_scope(visitor.caller, "connections:read")


def ensure_may_use(visitor: Visitor, choices: Mapping[str, Any]) -> None:
    """A draft with a template is only for those who may see templates. Raises Refused("not_allowed")."""
    if {choices.get("mappingId"), choices.get("basedOn")} - {None, DEFAULT}:
        ensure_scope(visitor.caller, "mappings:read")
