"""Oneself: colours, password, sessions, and the account that one looks at."""

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.render import redirect, render_page
from app.dashboard.visitor import SignedIn, Visitor
from app.errors import Refused
from app.people import accounts, sessions
from app.people.links import change_password
from app.people.sessions import end_one, end_others, list_sessions
from app.people.sign_in import confirm
from app.runtime import Runtime
from app.web.caller import OpenRuntime, client_bucket
from app.web.failures import STATUSES

router = APIRouter(prefix="/app/me")
PAGE: Final = "/app/me"
EMPTY: Final = FilledForm({"password": "", "new_password": ""})


@router.get("")
async def show_me(request: Request, visitor: SignedIn, runtime: OpenRuntime) -> Response:
    return await render_me(request, visitor, runtime)


async def render_me(
    request: Request, visitor: Visitor, runtime: Runtime, form: FilledForm = EMPTY, status: int = 200
) -> Response:
    async with runtime.database.read() as session:
        listed = await list_sessions(session, visitor.session)
        places = await accounts.list_accounts(session, visitor.session)
    own = {"sessions": listed, "places": places, "theme": FilledForm({"theme": visitor.theme})}
    return render_page(request, visitor, "access/me.html", status, form=form, **own)


@router.post("/theme")
async def set_theme(request: Request, visitor: SignedIn, runtime: OpenRuntime) -> Response:
    sent = await read_form(request)
    async with runtime.database.transaction() as session:
        await accounts.set_theme(session, visitor.session, text_of(sent, "theme"))
    return redirect(PAGE, "Colours saved.")


@router.post("/password")
async def set_password(request: Request, visitor: SignedIn, runtime: OpenRuntime) -> Response:
    """The old one is always asked for, however long ago it was typed."""
    sent: Any = await read_form(request)
    email = visitor.session.email
    if email is None:
        raise Refused("not_allowed", "An API key has no password. Sign in as a person to change yours")
    try:
        await confirm(runtime, visitor.session, sent.get("password", ""), address=client_bucket(request))
        await change_password(runtime, email, sent.get("new_password", ""), but=sessions.hash_of(visitor.session))
    except Refused as refused:
        fields = {"password": "new_password"} if refused.code == "invalid" else {"": "password"}
        form = EMPTY.explain(refused, fields)
        return await render_me(request, visitor, runtime, form, STATUSES[refused.code])
    return redirect(PAGE, "Password changed. Everywhere else you are signed out.")


@router.post("/sessions")
async def end_sessions(request: Request, visitor: SignedIn, runtime: OpenRuntime) -> Response:
    """One of them, or all but this one."""
    session_id = text_of(await read_form(request), "id")
    async with runtime.database.transaction() as session:
        if session_id:
            await end_one(session, visitor.session, session_id)
        else:
            await end_others(session, visitor.session)
    return redirect(PAGE, "That session has ended." if session_id else "Everywhere else you are signed out.")


@router.post("/account")
async def switch(request: Request, visitor: SignedIn, runtime: OpenRuntime) -> Response:
    wanted = text_of(await read_form(request), "account")
    async with runtime.database.transaction() as session:
        name = await accounts.switch_account(session, visitor.session, wanted)
    return redirect("/app", f"You are in {name} now.")
