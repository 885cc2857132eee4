"""Mapping templates: listed, loaded, created, replaced and deleted. A run copies the one that it uses."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_hex
from typing import Any, Final, Literal

import msgspec

from app.errors import Complaint, Refused, describe, shorten_name
from app.formats.characters import UNSTORABLE
from app.mappings.declaring.declaration import mapping_to_json, parse_mapping
from app.mappings.declaring.fitting import fit_mapping
from app.mappings.declaring.requested import DEFAULT_MAPPING
from app.mappings.mapping import DEFAULT
from app.mappings.mapping import Mapping as ColumnMapping
from app.resources.canonical import to_nfc
from app.resources.registry import BUILT_IN
from app.resources.schema import Resource
from app.runs.acceptance import NOT_A_NAME, find_name_mistake
from app.storage import types
from app.storage.access import accounts
from app.storage.database import ReadSession, Session
from app.storage.declared import mappings

PREFIX: Final = "map_"
MOST_TEMPLATES: Final = 1_000  # of an account
MOST_BYTES: Final = 8_388_608  # of all templates of an account, as JSON
# What an answer adds to a template, so that an answer can be sent back as it is.
ADDED: Final = ("id", "createdAt", "updatedAt", "lastUsedAt", "usedBy")


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """A template. `wire` is its mapping as JSON text in the wire form, without name and type."""

    id: str
    name: str
    type: str
    wire: str
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None  # when a run was last accepted with it

    def as_mapping(self) -> ColumnMapping:
        """The mapping, not yet fitted to its type. Blocking: some 5 ms for 2,000 columns."""
        return replace(parse_mapping(msgspec.json.decode(self.wire)), id=self.id, name=self.name)


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A feed or a schedule that starts runs with a template."""

    kind: Literal["feed", "schedule"]
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class TemplatePage:
    """Templates in brief, ordered by name and type: id, name, type, created_at, updated_at, last_used_at, and how many
    `columns` they have, how many of these are `ignored`, and how many `uses` there are."""

    rows: Sequence[Mapping[Any, Any]]
    more: bool


async def list_templates(
    session: ReadSession, account_id: int, *, type: str | None, after: tuple[str, str], limit: int
) -> TemplatePage:
    """The page after this name and type."""
    rows = await mappings.list_page(session, account_id, type=type, after=after, limit=limit + 1)
    return TemplatePage(rows[:limit], more=len(rows) > limit)


async def find_template(session: ReadSession, account_id: int, template_id: str) -> StoredTemplate | None:
    row = None if UNSTORABLE.search(template_id) else await mappings.get(session, account_id, template_id)
    return None if row is None else template_from(row)


async def load_template(session: ReadSession, account_id: int, template_id: str) -> StoredTemplate:
    """Raises Refused("not_found")."""
    template = await find_template(session, account_id, template_id)
    if template is None:
        raise not_found()
    return template


async def list_uses(session: ReadSession, account_id: int, template_id: str) -> list[TemplateUse]:
    return [TemplateUse(**row) for row in await mappings.list_uses(session, account_id, template_id)]


async def mark_used(session: Session, account_id: int, mapping_id: str) -> None:
    """Remembers that a run was accepted with this mapping, if it is a template. The account is locked by then."""
    if mapping_id.startswith(PREFIX):
        await mappings.mark_used(session, account_id, mapping_id)


async def load_mapping(session: ReadSession, account_id: int, mapping_id: str, type: str) -> ColumnMapping:
    """The default mapping, or that of a template for the type. Raises Refused("invalid") if there is no such."""
    if mapping_id == DEFAULT:
        return DEFAULT_MAPPING
    return await asyncio.to_thread(as_mapping_for, await find_template(session, account_id, mapping_id), type)


def as_mapping_for(template: StoredTemplate | None, type: str) -> ColumnMapping:
    """The mapping of a template for a request of this type, "" if that is not known yet. Blocking. Raises
    Refused("invalid") if there is no template, or it is for another type."""
    if template is None:
        reason = "`mappingId` must be `default` or the id of a mapping template, and there is none with this id"
        raise Refused("invalid", reason, [Complaint("mappingId", reason)])
    if type and template.type != type:
        asked = shorten_name(type)
        reason = f'The mapping template "{template.name}" is for the type `{template.type}`, and not for `{asked}`'
        raise Refused("invalid", reason, [Complaint("mappingId", reason)])
    return template.as_mapping()


async def create_template(
    session: Session, account_id: int, body: Mapping[str, object], resource: Resource | None
) -> StoredTemplate:
    """Stores a new template. `resource` is the type that the body names, if there is one.

    Raises Refused: invalid (names every mistake), name_taken.
    """
    name, wire = await asyncio.to_thread(read_template, body, resource)
    assert resource is not None  # noqa: S101  else it was refused
    template_id = f"{PREFIX}{token_hex(12)}"
    await accounts.lock(session, account_id)
    if resource.name not in BUILT_IN and not await types.exists(session, account_id, resource.name):
        complaints = [*check_type(resource.name, None)]  # it was deleted meanwhile
        raise Refused("invalid", describe(complaints), complaints)
    await refuse_too_much(session, account_id, template_id, wire)
    if await mappings.find_id(session, account_id, name=name, type=resource.name) is not None:
        raise name_taken(name, resource.name)
    values = {"id": template_id, "name": name, "type": resource.name, "mapping": wire}
    return template_from(await mappings.add(session, account_id, values))


async def replace_template(
    session: Session, account_id: int, stored: StoredTemplate, body: Mapping[str, object], resource: Resource
) -> StoredTemplate:
    """Gives a template another name and mapping. Its type stays.

    Raises Refused: not_found, invalid (names every mistake), name_taken.
    """
    name, wire = await asyncio.to_thread(read_template, {"type": stored.type, **body}, resource)
    await accounts.lock(session, account_id)
    await load_template(session, account_id, stored.id)
    await refuse_too_much(session, account_id, stored.id, wire)
    if await mappings.find_id(session, account_id, name=name, type=stored.type) not in (None, stored.id):
        raise name_taken(name, stored.type)
    return template_from(await mappings.replace(session, account_id, stored.id, name=name, mapping=wire))


async def delete_template(session: Session, account_id: int, template_id: str) -> None:
    """Deletes a template. Imports that were accepted with it go on. Raises Refused("not_found")."""
    await accounts.lock(session, account_id)
    if not await mappings.remove(session, account_id, template_id):
        raise not_found()


def read_template(body: Mapping[str, object], resource: Resource | None) -> tuple[str, str]:
    """The name of the template, and its mapping as JSON text. Blocking. Raises one Refused("invalid") that names every
    mistake."""
    declared = {member: value for member, value in body.items() if member not in ADDED}
    complaints = [*check_name(declared.get("name")), *check_type(declared.get("type"), resource)]
    try:
        mapping = parse_mapping(declared)
        if resource is not None:
            fit_mapping(mapping, resource)
    except Refused as refused:
        complaints += refused.complaints
    if complaints:
        raise Refused("invalid", describe(complaints[:10]), complaints)
    # Some keyboards and file systems write "é" as two characters: it is one name.
    return to_nfc(str(declared["name"])), msgspec.json.encode(mapping_to_json(mapping)).decode()


def check_name(name: object) -> Iterable[Complaint]:
    if name is None:
        yield Complaint("name", "`name` is required")
    elif not isinstance(name, str):
        yield Complaint("name", NOT_A_NAME)
    elif mistake := find_name_mistake(name):
        yield Complaint("name", mistake)


def check_type(type: object, resource: Resource | None) -> Iterable[Complaint]:
    if type is None:
        yield Complaint("type", "`type` is required")
    elif not isinstance(type, str):
        yield Complaint("type", "`type` must be the name of a record type")
    elif resource is None:
        yield Complaint("type", "`type` must be the name of a record type, and there is none of this name")
    elif type != resource.name:
        yield Complaint("type", f"`type` must stay `{resource.name}`: make another template for another type")


async def refuse_too_much(session: ReadSession, account_id: int, template_id: str, wire: str) -> None:
    """Raises Refused("invalid") if with this template the account would have stored too much."""
    others = await mappings.count_others(session, account_id, template_id)
    if others["templates"] >= MOST_TEMPLATES:
        raise too_much(f"The account has {MOST_TEMPLATES:,} mapping templates, and no more are allowed")
    size = others["bytes"] + len(wire.encode())
    if size > MOST_BYTES:
        raise too_much(
            f"The mapping templates of the account would have {size:,} bytes together, but at most {MOST_BYTES:,} are "
            "allowed"
        )


def too_much(reason: str) -> Refused:
    return Refused("invalid", reason, [Complaint("body", reason)])


def template_from(row: Mapping[Any, Any]) -> StoredTemplate:
    return StoredTemplate(
        row["id"],
        row["name"],
        row["type"],
        row["mapping"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        last_used_at=row["last_used_at"],
    )


def not_found() -> Refused:
    return Refused("not_found", "There is no mapping template with this id")


def name_taken(name: str, type: str) -> Refused:
    detail = f'There is already a mapping template named "{name}" for the type `{type}`'
    return Refused("name_taken", detail, [Complaint("name", detail)])
