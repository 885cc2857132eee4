"""API keys: made with scopes, shown once, revoked."""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.auth.account_keys import list_account_keys, load_key, make_key, revoke_account_key
from app.auth.keys import SCOPES, NewKey
from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.render import redirect, render_page
from app.dashboard.routes.access.again import write_confirmed
from app.dashboard.visitor import MayAdminister, Visitor
from app.errors import Refused
from app.people.sessions import count_sessions
from app.web.caller import OpenRuntime
from app.web.failures import STATUSES
from app.web.links import base_url

router = APIRouter(prefix="/app/keys")
LIST: Final = "/app/keys"
USUAL: Final = ("imports:read", "imports:write")  # what most scripts need
FIELDS: Final = {"expiresInDays": "days"}
NEVER: Final = ""


@router.get("")
async def show_keys(request: Request, visitor: MayAdminister, runtime: OpenRuntime) -> Response:
    async with runtime.database.read() as session:
        keys = await list_account_keys(session, visitor.account_id)
        now = await runtime.now(session)
    url = base_url(request, runtime)
    return render_page(request, visitor, "access/keys.html", keys=keys, now=now, url=url)


@router.get("/new")
async def show_new_key(request: Request, visitor: MayAdminister) -> Response:
    return render_new(request, visitor, FilledForm({"label": "", "days": NEVER, "scopes": USUAL, "password_again": ""}))


@router.post("/new")
async def create_key(request: Request, visitor: MayAdminister, runtime: OpenRuntime) -> Response:
    """Answers with the secret, without a redirect: it is stored nowhere."""
    sent = await read_form(request)
    chosen = [str(each) for each in sent.getlist("scopes")]
    form = FilledForm(
        {"label": text_of(sent, "label"), "days": text_of(sent, "days"), "scopes": chosen, "password_again": ""}
    )
    try:
        wanted = NewKey(form.value("label"), tuple(chosen), read_days(form.value("days")))
        async with write_confirmed(request, visitor, runtime, sent) as session:
            made, whole = await make_key(
                session,
                visitor.account_id,
                wanted,
                visitor.has_scope,
                created_by=visitor.caller.id,
                pepper=runtime.pepper,
            )
    except Refused as refused:
        return render_new(request, visitor, form.refused(refused, FIELDS), STATUSES[refused.code])
    url = base_url(request, runtime)
    return render_page(request, visitor, "access/key_made.html", key=made, whole=whole, url=url)


def read_days(text: str) -> int | None:
    """What is no number is left to the engine to refuse."""
    return None if text == NEVER else int(text) if text.isdecimal() and len(text) < 6 else 0


def render_new(request: Request, visitor: Visitor, form: FilledForm, status: int = 200) -> Response:
    offered = {scope: may for scope, may in SCOPES.items() if visitor.has_scope(scope)}
    chosen: Any = form.values["scopes"]
    return render_page(request, visitor, "access/key_new.html", status, form=form, scopes=offered, chosen=chosen)


@router.get("/{key_id}/revoke")
async def show_revoke(request: Request, key_id: str, visitor: MayAdminister, runtime: OpenRuntime) -> Response:
    return await render_revoke(request, key_id, visitor, runtime, FilledForm({"password_again": ""}))


@router.post("/{key_id}/revoke")
async def revoke_key(request: Request, key_id: str, visitor: MayAdminister, runtime: OpenRuntime) -> Response:
    sent = await read_form(request)
    try:
        async with write_confirmed(request, visitor, runtime, sent) as session:
            key = await load_key(session, visitor.account_id, key_id)
            await revoke_account_key(session, visitor.account_id, key_id)
    except Refused as refused:
        form = FilledForm({"password_again": ""}).refused(refused)
        return await render_revoke(request, key_id, visitor, runtime, form, STATUSES[refused.code])
    return redirect(LIST, f"The key {key.label or key.id} is revoked.")


async def render_revoke(
    request: Request, key_id: str, visitor: Visitor, runtime: OpenRuntime, form: FilledForm, status: int = 200
) -> Response:
    async with runtime.database.read() as session:
        key = await load_key(session, visitor.account_id, key_id)
        sessions = await count_sessions(session, visitor.account_id, key_id)
    return render_page(request, visitor, "access/key_revoke.html", status, key=key, sessions=sessions, form=form)
