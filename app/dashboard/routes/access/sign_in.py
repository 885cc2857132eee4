"""Signing in with a password or an API key, signing out, and where one begins."""

from typing import Final

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm, read_open_form, text_of
from app.dashboard.navigation import visible_entries
from app.dashboard.render import redirect, render_page
from app.dashboard.session import drop_cookie, give_cookie, is_encrypted, load_session
from app.dashboard.visitor import STRANGER, SignedIn
from app.errors import Refused
from app.people.failed_sign_in import note_failed_sign_in
from app.people.sessions import end_session
from app.people.sign_in import sign_in, sign_in_with_key
from app.web.caller import OpenRuntime, client_bucket
from app.web.failures import STATUSES

router = APIRouter(prefix="/app")
HOME, OWN_PAGE = "/app", "/app/me"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
LONGEST_NEXT: Final = 2_000  # characters
SUSPICIOUS: Final = ("\\", "/..", "/app/sign-")


@router.get("")
@router.get("/")
async def go_home(visitor: SignedIn) -> Response:
    """To the first page of the navigation."""
    entries = visible_entries(visitor)
    return redirect(entries[0].path if entries else OWN_PAGE)


@router.get("/sign-in", dependencies=STRANGER)
async def show_sign_in(request: Request, runtime: OpenRuntime) -> Response:
    wanted = request.query_params.get("next", "")
    if await load_session(request, runtime):
        return redirect(safe_next(wanted))
    with_key = "key" in request.query_params
    return render_sign_in(
        request, FilledForm({"next": wanted, "email": "", "password": "", "key": ""}), with_key=with_key
    )


@router.post("/sign-in", dependencies=STRANGER)
async def try_sign_in(request: Request, runtime: OpenRuntime) -> Response:
    sent = await read_open_form(request)
    key, email, wanted = text_of(sent, "key"), text_of(sent, "email"), text_of(sent, "next")
    address = client_bucket(request)
    try:
        if "key" in sent:
            cookie = await sign_in_with_key(runtime, key, address=address)
        else:
            cookie = await sign_in(runtime, email, str(sent.get("password", "")), address=address)
    except Refused as refused:
        form = FilledForm({"next": wanted, "email": email, "password": "", "key": ""}).explain(refused)
        answer = render_sign_in(request, form, with_key="key" in sent, status=STATUSES[refused.code])
        if refused.retry_after is not None:
            answer.headers["Retry-After"] = str(refused.retry_after)
        elif "key" not in sent:
            answer.background = BackgroundTasks()
            answer.background.add_task(note_failed_sign_in, runtime, email, address=address)
        return answer
    answer = redirect(safe_next(wanted))
    give_cookie(answer, request, runtime, cookie)
    return answer


def render_sign_in(request: Request, form: FilledForm, *, with_key: bool, status: int = 200) -> Response:
    runtime = request.app.state.runtime
    exposed = not is_encrypted(request, runtime) and request.url.hostname not in LOOPBACK
    return render_page(request, None, "access/sign_in.html", status, form=form, with_key=with_key, exposed=exposed)


def safe_next(wanted: str) -> str:
    """Where to go after signing in: only to pages of ours."""
    is_ours = wanted.startswith("/app/") and wanted.isprintable() and len(wanted) <= LONGEST_NEXT
    return HOME if not is_ours or any(each in wanted for each in SUSPICIOUS) else wanted


@router.post("/sign-out")
async def sign_out(request: Request, visitor: SignedIn, runtime: OpenRuntime) -> Response:
    async with runtime.database.transaction() as session:
        await end_session(session, visitor.session)
    answer = redirect("/app/sign-in", "You are signed out.")
    drop_cookie(answer, request, runtime)
    return answer
