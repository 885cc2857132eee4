"""The record types of an account: the built-in ones with its custom fields, and those it declared itself."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from app.errors import Complaint, Refused, describe
from app.resources.declare import add_custom_fields, find_contradictions, parse_resource, resource_to_json
from app.resources.declared_fields import field_to_json
from app.resources.registry import BUILT_IN
from app.resources.schema import Field, Resource
from app.resources.stored_keys import KeyForms, compile_key_forms
from app.storage import records, types
from app.storage.access import accounts
from app.storage.database import ReadSession, Session

# The built-in types that an account may add fields to.
EXTENSIBLE: Final = frozenset({"contacts"})

MOST_BYTES: Final = 524_288  # of a declaration as JSON: it is read for each record and each import of the type
MOST_TYPES: Final = 200  # of an account
MOST_BYTES_IN_ALL: Final = 2_097_152  # of all declarations of an account: one answer lists them
MANY_FIELDS: Final = 100  # or options: a type with more is not built on the event loop


async def load_resource(session: ReadSession, account_id: int, name: str) -> tuple[Resource, object | None]:
    """The type of that name and the account's own part of its declaration. Raises Refused("not_found")."""
    declaration = await types.get(session, account_id, name)
    if declaration is None and name not in BUILT_IN:
        raise unknown_type(name)
    if is_large(declaration):
        return await asyncio.to_thread(build_resource, name, declaration), declaration
    return build_resource(name, declaration), declaration


async def ensure_type(session: ReadSession, account_id: int, name: str) -> None:
    """Raises Refused("not_found") if there is no type of that name."""
    if name not in BUILT_IN and not await types.exists(session, account_id, name):
        raise unknown_type(name)


async def ensure_named_type(session: Session, account_id: int, name: object, path: str) -> None:
    """Somebody may have deleted it since it was checked: nobody does while the account is locked, and what names a type
    keeps it. None and "" name none. Raises Refused("invalid") with this path."""
    try:
        if name:
            await ensure_type(session, account_id, str(name))
    except Refused as refused:
        raise Refused("invalid", refused.detail, [Complaint(path, refused.detail)]) from None


async def load_key_forms(session: ReadSession, account_id: int, names: Collection[str]) -> Mapping[str, KeyForms]:
    """How the records of each of these types are named. A name that no type has is left out. A type is not read as a
    whole, for it may have thousands of fields."""
    resources = {name: BUILT_IN[name] for name in names if name in BUILT_IN}
    for row in await types.find_keys(session, account_id, names) if names else ():
        resources[row["name"]] = Resource(row["name"], (row["id"],), (Field(row["id"], row["type"]),))
    return {name: compile_key_forms(resource, account_id) for name, resource in resources.items()}


def unknown_type(name: str) -> Refused:
    return Refused("not_found", f'There is no record type "{name}". Declare it with PUT /types/{name}')


def is_large(declaration: object) -> bool:
    """Whether building the type of a valid declaration takes more than a millisecond or so."""
    fields = declaration.get("fields") if isinstance(declaration, dict) else declaration
    if not isinstance(fields, list):
        return False
    return sum(1 + len(field.get("options") or ()) for field in fields) > MANY_FIELDS


async def load_declarations(session: ReadSession, account_id: int) -> Mapping[str, str]:
    """What the account has declared: the JSON text of each declaration, by the name of the type."""
    return {row["name"]: row["declaration"] for row in await types.list_all(session, account_id)}


def build_resources(declarations: Mapping[str, str]) -> list[Resource]:
    """All types that an account with these declarations can import: the built-in ones first, then its own by name.
    Blocking."""
    return [
        build_resource(name, msgspec.json.decode(declarations[name]) if name in declarations else None)
        for name in list_names(declarations)
    ]


def list_names(declarations: Collection[str]) -> list[str]:
    """The names of all types of an account that has declared these: the built-in ones first."""
    return [*BUILT_IN, *sorted(set(declarations) - BUILT_IN.keys())]


def build_resource(name: str, declaration: object | None) -> Resource:
    """The type as an account's declaration makes it."""
    if is_own(name, declaration):
        return parse_resource(name, declaration, stored=True)
    return BUILT_IN[name] if declaration is None else add_custom_fields(BUILT_IN[name], declaration)


def is_own(name: str, declaration: object | None) -> bool:
    """Whether the account has declared the whole type. It may have done so before there was a built-in one of that
    name."""
    return name not in BUILT_IN or (declaration is not None and name not in EXTENSIBLE)


async def declare_type(session: Session, account_id: int, name: str, body: dict[str, object]) -> tuple[Resource, bool]:
    """Declares a type of the account or changes it, for an extensible built-in type its custom fields; also whether
    the declaration is new.

    Raises Refused: invalid (names every mistake), type_in_use.
    """
    resource, declaration = await asyncio.to_thread(read_declaration, name, body)
    await accounts.lock(session, account_id)
    await refuse_too_much(session, account_id, name, declaration)
    await refuse_unknown_types(session, account_id, resource)
    previous = await types.get(session, account_id, name)
    if previous is not None or name in BUILT_IN:
        complaints = await asyncio.to_thread(compare, name, previous, resource)
        await refuse_contradictions(session, account_id, name, complaints)
    return resource, await types.put(session, account_id, name, declaration)


def read_declaration(name: str, body: dict[str, object]) -> tuple[Resource, dict[str, object]]:
    """The type that the body declares, and what of it is stored. Raises Refused("invalid"). Blocking."""
    declaration = remove_built_in_members(name, body)
    size = len(msgspec.json.encode(declaration))
    if size > MOST_BYTES:
        raise too_much(f"The declaration has {size:,} bytes as JSON, but at most {MOST_BYTES:,} are allowed")
    resource = build_resource(name, declaration) if name in EXTENSIBLE else parse_resource(name, declaration)
    return resource, declaration


def compare(name: str, previous: object | None, resource: Resource) -> Sequence[Complaint]:
    """What of the new declaration stored records may contradict. Blocking."""
    return find_contradictions(build_resource(name, previous), resource)


async def refuse_too_much(session: ReadSession, account_id: int, name: str, declaration: Mapping[str, object]) -> None:
    """Raises Refused("invalid") if with this declaration the account would have declared too much."""
    others = await types.count_others(session, account_id, name)
    if others["types"] >= MOST_TYPES:
        raise too_much(f"The account has {MOST_TYPES} types of its own, and no more are allowed")
    size = others["bytes"] + len(msgspec.json.encode(declaration))
    if size > MOST_BYTES_IN_ALL:
        raise too_much(
            f"The declarations of the account would have {size:,} bytes as JSON together, but at most "
            f"{MOST_BYTES_IN_ALL:,} are allowed"
        )


async def refuse_unknown_types(session: ReadSession, account_id: int, resource: Resource) -> None:
    """Raises Refused("invalid") if a field refers to a type that the account does not have."""
    built_in = BUILT_IN.get(resource.name)
    fields = dict(enumerate(resource.fields[len(built_in.fields) if built_in else 0 :]))
    named = {field.to for field in fields.values() if field.to} - BUILT_IN.keys() - {resource.name}
    unknown = named - await types.find_existing(session, account_id, named) if named else named
    complaints = [
        Complaint(f"fields[{index}].to", f"`fields[{index}].to` must be a record type: there is no type `{field.to}`")
        for index, field in fields.items()
        if field.to in unknown
    ]
    if complaints:
        raise Refused("invalid", describe(complaints), complaints)


def too_much(reason: str) -> Refused:
    return Refused("invalid", reason, [Complaint("body", reason)])


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
        # Answers of release 0.1 have no labels.
        built_in_fields += [field_to_json(replace(field, label="")) for field in BUILT_IN[name].fields]
        declaration["fields"] = [field for field in fields if field not in built_in_fields]
    return declaration


async def refuse_contradictions(
    session: ReadSession, account_id: int, name: str, complaints: Sequence[Complaint]
) -> None:
    """Raises Refused("type_in_use") if there are stored records, or open imports and undos have yet to write some,
    which may contradict the new declaration as the complaints say."""
    if not complaints:
        return
    if await records.has_any(session, account_id, name):
        raise type_in_use(f'There are stored records of type "{name}"', complaints)
    if await types.any_open_run(session, account_id, name):
        raise type_in_use(f'Imports of type "{name}", or undos of them, have not ended', complaints)


def type_in_use(obstacle: str, complaints: Sequence[Complaint]) -> Refused:
    return Refused("type_in_use", f"{obstacle}. {describe(complaints)}", complaints)
