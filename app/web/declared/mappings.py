"""Mapping templates as callers store them: made, changed and deleted."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.auth.caller import Caller
from app.declarations.types import load_resource
from app.errors import Refused
from app.formats.characters import UNSTORABLE
from app.mappings.declaring.options import removes_records
from app.mappings.templates import stored
from app.mappings.templates.stored import StoredTemplate
from app.resources.schema import Resource
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.web.caller import ensure_may_replace, write_as


async def create_mapping(runtime: Runtime, caller: Caller, body: Mapping[str, Any]) -> StoredTemplate:
    """Stores what `POST /mappings` takes. Raises Refused: invalid (names every mistake), name_taken, not_allowed,
    not_authenticated."""
    async with runtime.heavy_reads.turn(caller.account_id), write_as(caller, runtime) as session:
        resource = await find_type(session, caller.account_id, body.get("type"))
        created = await stored.create_template(session, caller.account_id, body, resource)
        ensure_may_let_replace(caller, created)
    return created


async def replace_mapping(
    runtime: Runtime, caller: Caller, template: StoredTemplate, body: Mapping[str, Any]
) -> StoredTemplate:
    """Replaces name and mapping of a template by what `PUT /mappings/{id}` takes. Raises Refused as `create_mapping`
    does, and not_found."""
    async with runtime.heavy_reads.turn(caller.account_id), write_as(caller, runtime) as session:
        resource, _ = await load_resource(session, caller.account_id, template.type)
        replaced = await stored.replace_template(session, caller.account_id, template, body, resource)
        ensure_may_let_replace(caller, replaced)
    return replaced


async def delete_mapping(runtime: Runtime, caller: Caller, template_id: str) -> None:
    """Raises Refused: not_found, not_authenticated."""
    async with write_as(caller, runtime) as session:
        await stored.delete_template(session, caller.account_id, template_id)


def ensure_may_let_replace(caller: Caller, template: StoredTemplate) -> None:
    """Schedules and watched folders that name a template do what it says later. Raises Refused("not_allowed")."""
    options = msgspec.json.decode(template.wire).get("options") or {}
    ensure_may_replace(caller, replaces=removes_records(options))


async def find_type(session: ReadSession, account_id: AccountId, name: object) -> Resource | None:
    """The type that a body names, if there is one."""
    if not isinstance(name, str) or UNSTORABLE.search(name):
        return None
    try:
        return (await load_resource(session, account_id, name))[0]
    except Refused:
        return None
