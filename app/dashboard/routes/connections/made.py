"""A new connection: which transport, then its settings."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.connections.connection import create_connection
from app.connections.declaration import SECRETS
from app.dashboard.forms import FilledForm, read_form, text_of
from app.dashboard.render import redirect, render_page
from app.dashboard.routes.connections.form import is_transport, read_members, show_again
from app.dashboard.routes.connections.listed import CONNECTIONS
from app.dashboard.script import write_curl
from app.dashboard.views.connections.fields import TRANSPORTS, list_fields
from app.dashboard.visitor import MayWriteConnections, Visitor
from app.errors import Refused
from app.runtime import Runtime
from app.transports.options import TRUST_FIRST
from app.web.caller import OpenRuntime, write_as
from app.web.failures import STATUSES
from app.web.links import base_url

router = APIRouter(prefix=CONNECTIONS)


@router.get("/new")
async def new_page(
    request: Request, visitor: MayWriteConnections, runtime: OpenRuntime, transport: str = ""
) -> Response:
    """The form of the transport; without one, which there are."""
    if not is_transport(transport):
        return render_page(request, visitor, "connections/transports.html", transports=TRANSPORTS)
    values = {each.name: TRUST_FIRST if each.name == "hostKey" else None for each in list_fields(transport)}
    return render_form(request, visitor, runtime, transport, FilledForm({"name": None, **values}))


@router.post("/new")
async def create(request: Request, visitor: MayWriteConnections, runtime: OpenRuntime) -> Response:
    """Stores the connection, and shows it with its tests."""
    sent = await read_form(request)
    transport = text_of(sent, "transport")
    if not is_transport(transport):
        return redirect(f"{CONNECTIONS}/new")
    members = read_members(sent, transport)
    try:
        async with write_as(visitor.caller, runtime) as session:
            created = await create_connection(session, runtime.vault, visitor.account_id, members)
    except Refused as refused:
        form, status = show_again(members, transport, refused), STATUSES[refused.code]
        return render_form(request, visitor, runtime, transport, form, members=members, status=status)
    return redirect(f"{CONNECTIONS}/{created.id}", notice="Connection saved. Test it now for what you need it for.")


def render_form(
    request: Request,
    visitor: Visitor,
    runtime: Runtime,
    transport: str,
    form: FilledForm,
    *,
    members: Mapping[str, object] | None = None,
    status: int = 200,
) -> Response:
    """`members`: those that were typed."""
    fields = list_fields(transport, typed=SECRETS.keys() & (members or {}).keys())
    body = {"name": "shop", "transport": transport} | {each.name: "…" for each in fields if each.required}
    return render_page(
        request,
        visitor,
        "connections/new.html",
        status,
        transport=transport,
        words=TRANSPORTS[transport],
        form=form,
        fields=fields,
        command=write_curl(base_url(request, runtime), "/connections", body=body),
    )
