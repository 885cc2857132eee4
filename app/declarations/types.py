"""The record types of an account: the built-in ones with its custom fields, and those it declared itself."""

from collections.abc import Sequence
from typing import Final

from app.errors import Complaint, Refused, describe
from app.resources.declare import add_custom_fields, find_contradictions, parse_resource, resource_to_json
from app.resources.declared_fields import field_to_json
from app.resources.registry import BUILT_IN
from app.resources.schema import Resource
from app.storage import records, types
from app.storage.access import accounts
from app.storage.database import ReadSession, Session

# The built-in types that an account may add fields to.
EXTENSIBLE: Final = frozenset({"contacts"})


async def load_resource(session: ReadSession, account_id: int, name: str) -> tuple[Resource, object | None]:
    """The type of that name and the account's own part of its declaration. Raises Refused("not_found")."""
    declaration = await types.get(session, account_id, name)
    if declaration is None and name not in BUILT_IN:
        raise Refused("not_found", f'There is no record type "{name}". Declare it with PUT /types/{name}')
    return build_resource(name, declaration), declaration


async def list_resources(session: ReadSession, account_id: int) -> list[Resource]:
    """All types that the account can import: the built-in ones first, then its own by name."""
    declarations = {row["name"]: row["declaration"] for row in await types.list_all(session, account_id)}
    own = sorted(declarations.keys() - BUILT_IN.keys())
    return [build_resource(name, declarations.get(name)) for name in (*BUILT_IN, *own)]


def build_resource(name: str, declaration: object | None) -> Resource:
    """The type as an account's declaration makes it."""
    if name not in BUILT_IN:
        return parse_resource(name, declaration)
    return BUILT_IN[name] if declaration is None else add_custom_fields(BUILT_IN[name], declaration)


async def declare_type(session: Session, account_id: int, name: str, body: dict[str, object]) -> tuple[Resource, bool]:
    """Declares a type of the account or changes it, for an extensible built-in type its custom fields; also whether
    the declaration is new.

    Raises Refused: invalid (names every mistake), type_in_use.
    """
    declaration = remove_built_in_members(name, body)
    resource = build_resource(name, declaration) if name in EXTENSIBLE else parse_resource(name, declaration)
    await accounts.lock(session, account_id)
    previous = await types.get(session, account_id, name)
    if previous is not None or name in BUILT_IN:
        await refuse_contradictions(session, account_id, build_resource(name, previous), resource)
    return resource, await types.put(session, account_id, name, declaration)


def remove_built_in_members(name: str, body: dict[str, object]) -> dict[str, object]:
    """The body without what an answer adds to a declaration, so that an answer can be sent back as it is."""
    declaration = {member: value for member, value in body.items() if member not in ("name", "builtIn")}
    if name not in EXTENSIBLE:
        return declaration
    built_in = resource_to_json(BUILT_IN[name])
    declaration = {
        member: value for member, value in declaration.items() if member not in built_in or built_in[member] != value
    }
    fields = declaration.get("fields")
    if isinstance(fields, list):
        built_in_fields = [field_to_json(field) for field in BUILT_IN[name].fields]
        declaration["fields"] = [field for field in fields if field not in built_in_fields]
    return declaration


async def refuse_contradictions(session: ReadSession, account_id: int, old: Resource, new: Resource) -> None:
    """Raises Refused("type_in_use") if stored records, or those that open imports have yet to write, may contradict the
    new declaration."""
    complaints = find_contradictions(old, new)
    if not complaints:
        return
    if await records.has_any(session, account_id, new.name):
        raise type_in_use(f'There are stored records of type "{new.name}"', complaints)
    if await types.any_open_run(session, account_id, new.name):
        raise type_in_use(f'Imports of type "{new.name}" have not ended', complaints)


def type_in_use(obstacle: str, complaints: Sequence[Complaint]) -> Refused:
    return Refused("type_in_use", f"{obstacle}. {describe(complaints)}", complaints)
