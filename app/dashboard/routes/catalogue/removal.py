"""Deleting a record, and a record type that has none."""

from urllib.parse import unquote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.forms import read_form, text_of
from app.dashboard.render import redirect
from app.dashboard.views.catalogue.types import type_path
from app.dashboard.visitor import MayDeleteImports, MayWriteTypes
from app.declarations.removal import delete_type
from app.declarations.stored_records import list_key_forms, no_record
from app.imports.single.write import delete_record
from app.web.caller import OpenRuntime, write_as

router = APIRouter(prefix="/app")


@router.post("/records/{type}")
async def remove_record(request: Request, type: str, visitor: MayDeleteImports, runtime: OpenRuntime) -> Response:
    """The form holds the key percent-encoded: a browser changes the ends of lines, and some keys fit no path."""
    key = unquote(text_of(await read_form(request), "key"))
    async with runtime.database.read() as session:
        keys = await list_key_forms(session, visitor.account_id, type, key)
    if not await delete_record(runtime, visitor.account_id, type, keys, sender=visitor.caller.identity):
        raise no_record(type)
    return redirect(type_path(type), "Record deleted.")


@router.post("/types/{type}/delete")
async def remove_type(type: str, visitor: MayWriteTypes, runtime: OpenRuntime) -> Response:
    async with write_as(visitor.caller, runtime) as session:
        await delete_type(session, visitor.account_id, type)
    return redirect("/app/records", f"Record type {type} deleted.")
