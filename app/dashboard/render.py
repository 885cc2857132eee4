"""Renders pages, the regions of a page that are live, and failures."""

from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.dashboard.forms import FilledForm, keep_form
from app.dashboard.navigation import visible_entries
from app.dashboard.sentences import remedy_of_refusal, tell_limits
from app.dashboard.session import PLAIN_COOKIE, SECURE_COOKIE
from app.dashboard.static_files import static_path
from app.dashboard.visitor import VISITOR, Visitor
from app.dashboard.words import FILTERS, title_of_failure
from app.web.failures import STATUSES, Failure
from app.web.requests import request_id

TEMPLATES: Final = Path(__file__).parent / "templates"
MACROS: Final = {
    "icons": "parts/icons.html",
    "show": "parts/show.html",
    "field": "parts/form.html",
    "jobs": "parts/jobs.html",
}
NOTICE_COOKIE: Final = "sluice-notice"
NOTICE_SECONDS: Final = 60
LONGEST_NOTICE: Final = 500  # characters
SIGNED_OUT: Final = "You were signed out. Sign in; what you prepared is kept."


@cache
def open_templates() -> "jinja2.Environment":
    """Everything is escaped, and a name that a page does not get is an error. Templates are read once, when the first
    page is shown: a process whose pages nobody looks at does without them."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(FILTERS, limits=tell_limits)
    environment.globals["static"] = static_path
    # Macros are components: known everywhere without an import, also in a block that is rendered alone.
    for name, template in MACROS.items():
        environment.globals[name] = environment.get_template(template).module
    return environment


def render_page(
    request: Request, visitor: Visitor | None, template: str, /, status: int = 200, **context: Any
) -> HTMLResponse:
    """A whole page. It shows the notice that a redirect has left, once."""
    notice = unquote(request.cookies.get(NOTICE_COOKIE, ""))[:LONGEST_NOTICE]
    context |= {
        "visitor": visitor,
        "entries": visible_entries(visitor) if visitor else [],
        "path": request.scope["path"],
        "notice": notice,
    }
    page = open_templates().get_template(template).render(context)
    form = context.get("form")
    if isinstance(form, FilledForm) and form.complaints:  # the labels stand in the templates alone
        page = open_templates().get_template(template).render(context | {"form": form.call_by_labels(page)})
    response = HTMLResponse(page, status)
    if notice:
        response.delete_cookie(NOTICE_COOKIE, path="/app")
    return response


def render_block(template: str, block: str, /, **context: Any) -> str:
    """One block of a page's template, alone: a region that is live."""
    page = open_templates().get_template(template)
    return "".join(page.blocks[block](page.new_context({**context, "visitor": None})))


def render_part(name: str, macro: str, /, *given: Any) -> str:
    """One of the macros that are known everywhere, alone."""
    return str(getattr(open_templates().globals[name], macro)(*given))


def redirect(path: str, notice: str = "") -> Response:
    """See another page, by GET. The notice stands on top of it, and stays until the next one."""
    response = RedirectResponse(path, 303)
    if notice:
        response.set_cookie(
            NOTICE_COOKIE, quote(notice), max_age=NOTICE_SECONDS, path="/app", httponly=True, samesite="lax"
        )
    return response


def render_failure(failure: Failure, request: Request) -> Response:
    """A failure as a page: what is wrong, what to do, and the id of the request. Somebody who is not signed in sees how
    to."""
    if failure.code == "not_authenticated":
        return ask_to_sign_in(request)
    response = render_page(
        request,
        request.scope.get(VISITOR),
        "failure.html",
        STATUSES[failure.code],
        title=title_of_failure(failure.code),
        failure=failure,
        remedy=remedy_of_refusal(failure.code),
        kept=keep_form(request) if failure.code == "not_ready" else None,
        request_id=request_id(request),
    )
    response.headers.update(failure.headers)
    if failure.retry_after is not None:
        response.headers["Retry-After"] = str(failure.retry_after)
    return response


def ask_to_sign_in(request: Request) -> Response:
    """Afterwards the page is shown that was asked for; of a form that was sent, the page that it stands on."""
    asked = request.scope["path"] + (f"?{request.url.query}" if request.url.query else "")
    wanted = asked if request.method == "GET" else page_of_form(request)
    had_session = any(name in request.cookies for name in (SECURE_COOKIE, PLAIN_COOKIE))
    return redirect(f"/app/sign-in?{urlencode({'next': wanted})}", SIGNED_OUT if had_session else "")


def page_of_form(request: Request) -> str:
    """From which of our pages a form was sent."""
    _, prefix, rest = request.headers.get("referer", "").partition("/app/")
    return prefix + rest
