"""The page behind a link that sets a password or takes an invitation."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.dashboard.forms import FilledForm, read_open_form
from app.dashboard.render import redirect, render_page
from app.dashboard.session import give_cookie
from app.dashboard.visitor import STRANGER
from app.errors import Refused
from app.people.links import OpenLink, read_link, use_link
from app.runtime import Runtime
from app.web.caller import OpenRuntime, client_bucket
from app.web.failures import STATUSES

router = APIRouter(prefix="/app/welcome")
FORM = FilledForm({"password": ""})


@router.get("/{token}", dependencies=STRANGER)
async def show_welcome(request: Request, token: str, runtime: OpenRuntime) -> Response:
    try:
        link = await load(runtime, token)
    except Refused as refused:
        return render_page(request, None, "access/welcome.html", STATUSES[refused.code], link=None, form=FORM)
    return render_page(request, None, "access/welcome.html", link=link, form=FORM)


@router.post("/{token}", dependencies=STRANGER)
async def take_link(request: Request, token: str, runtime: OpenRuntime) -> Response:
    sent = await read_open_form(request)
    try:
        cookie = await use_link(runtime, token, str(sent.get("password", "")), address=client_bucket(request))
    except Refused as refused:
        link = None if refused.code == "gone" else await load(runtime, token)
        form = FORM.explain(refused)
        return render_page(request, None, "access/welcome.html", STATUSES[refused.code], link=link, form=form)
    answer = redirect("/app")
    give_cookie(answer, request, runtime, cookie)
    return answer


async def load(runtime: Runtime, token: str) -> OpenLink:
    """Raises Refused("gone")."""
    async with runtime.database.read() as session:
        return await read_link(session, token, pepper=runtime.pepper)
