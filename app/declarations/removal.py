"""Deletes a record type that an account has declared, unless something needs it."""

from collections.abc import Mapping
from typing import Any, Final

from app.declarations.types import is_own, unknown_type
from app.errors import Complaint, Refused, describe
from app.resources.registry import BUILT_IN
from app.storage import records, types
from app.storage.access import accounts
from app.storage.database import Session

# What each use is called, and how it is ended.
USES: Final[Mapping[str, str]] = {
    "run": "The {kind} {id} has not ended. Wait for it, or cancel it with `POST /runs/{id}/cancel`",
    "mapping": "The mapping template `{name}` is for it. Delete that with `DELETE /mappings/{id}`",
    "schedule": "The schedule `{name}` names it. Delete that with `DELETE /schedules/{id}`",
    "feed": "The watched folder `{name}` names it. Delete that with `DELETE /feeds/{id}`",
    "type": "Fields of the type `{name}` refer to it. Change that with `PUT /types/{name}`",
}
STORED: Final = "There are records of it. Delete them first, for example with an import with `mode` delete"
IS_BUILT_IN: Final = (
    "`{name}` is a built-in type, which every account has. Custom fields go with `PUT /types/{name}` without them"
)


async def delete_type(session: Session, account_id: int, name: str) -> None:
    """Raises Refused: not_found; type_needed, with everything that is in the way."""
    await accounts.lock(session, account_id)  # nothing of it is accepted meanwhile
    declaration = await types.get(session, account_id, name)
    if declaration is None and name not in BUILT_IN:
        raise unknown_type(name)
    if declaration is None or not is_own(name, declaration):
        raise Refused("type_needed", IS_BUILT_IN.format(name=name))
    uses = [tell_use(each) for each in await types.find_uses(session, account_id, name)]
    if await records.has_any(session, account_id, name):
        uses.insert(0, Complaint("records", STORED))
    if uses:
        raise Refused("type_needed", f"The type `{name}` is still used. {describe(uses)}", uses)
    await types.delete(session, account_id, name)


def tell_use(use: Mapping[Any, Any]) -> Complaint:
    return Complaint(use["use"], USES[use["use"]].format(**use))
