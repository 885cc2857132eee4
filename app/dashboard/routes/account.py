"""The defaults of an account: the limits of imports and item syncs that set none of their own; and its quotas."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from app.accounts.account import read_use
from app.dashboard.forms import FilledForm, read_form
from app.dashboard.render import redirect, render_page
from app.dashboard.script import write_curl
from app.dashboard.views.options.limits import list_limits, read_limits, show_limits
from app.dashboard.views.options.quotas import list_quotas
from app.dashboard.visitor import MayAdminister, MayReadImports, Visitor
from app.errors import Complaint
from app.quotas.quota import limits_of
from app.runs.holding.brakes import BRAKES, Brakes
from app.runs.holding.defaults import find_fallbacks, load_defaults, store_defaults
from app.runtime import Runtime
from app.web.caller import OpenRuntime, write_as
from app.web.links import base_url

PATH: Final = "/app/settings/account"
router = APIRouter(prefix=PATH)


@router.get("")
async def show(request: Request, visitor: MayReadImports, runtime: OpenRuntime) -> Response:
    return await show_page(request, runtime, visitor)


@router.post("")
async def change(request: Request, visitor: MayAdminister, runtime: OpenRuntime) -> Response:
    """As `PUT /account/defaults`: a limit whose field is empty is removed."""
    posted = await read_form(request)
    members, mistakes = read_limits(posted)
    if mistakes:
        return await show_page(request, runtime, visitor, posted, mistakes)
    limits = {name: members[brake.name] for name, brake in BRAKES.items() if members.get(brake.name, "") != ""}
    async with write_as(visitor.caller, runtime) as session:
        await store_defaults(session, visitor.account_id, Brakes(**limits))
    return redirect(PATH, "Defaults saved. They count for what is started from now on.")


async def show_page(
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    posted: FormData | None = None,
    mistakes: list[Complaint] | None = None,
) -> Response:
    """`posted` is shown in place of what is stored."""
    async with runtime.heavy_reads.turn(visitor.account_id), runtime.database.read() as session:
        stored = await load_defaults(session, visitor.account_id)
        use = await read_use(session, visitor.account_id)
    limits = {brake.name: getattr(stored, name) for name, brake in BRAKES.items()}
    form = FilledForm(show_limits(limits) | dict(posted or {})).complain(mistakes or ())
    body = {name: limit for name, limit in limits.items() if limit is not None}
    return render_page(
        request,
        visitor,
        "account.html",
        422 if mistakes else 200,
        form=form,
        quotas=list_quotas(limits_of(runtime, visitor.caller.quotas), use.by_quota()),
        limits=list_limits(find_fallbacks(), removes=True),
        may_change=visitor.has_scope("admin"),
        command=write_curl(base_url(request, runtime), "/account/defaults", method="PUT", body=body),
    )
