"""Which record types an account can import: the built-in ones, widened by its own fields, and those it declared."""

from app.errors import Refused
from app.resources.declare import declared, with_custom_fields
from app.resources.registry import BUILT_IN
from app.resources.vocabulary import Resource
from app.storage import types
from app.storage.database import ReadSession


async def resource_for(session: ReadSession, account_id: int, name: str) -> tuple[Resource, object | None]:
    """The type of that name and the account's own part of its declaration. Raises Refused("not_found")."""
    declaration = await types.get(session, account_id, name)
    if declaration is None and name not in BUILT_IN:
        raise Refused("not_found", f"There is no record type {name!r}; PUT /types/{name} declares one")
    return resource_from(name, declaration), declaration


def resource_from(name: str, declaration: object | None) -> Resource:
    """The type as an account's declaration makes it."""
    if name not in BUILT_IN:
        return declared(name, declaration)
    return BUILT_IN[name] if declaration is None else with_custom_fields(BUILT_IN[name], declaration)
