"""One connection: how its tests went, its settings, and what uses it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.connections.connection import ConnectionUse, StoredConnection, list_uses, load_connection, replace_connection
from app.connections.declaration import SECRETS
from app.dashboard.forms import FilledForm, read_form
from app.dashboard.render import redirect, render_page
from app.dashboard.routes.connections.form import read_members, show_again
from app.dashboard.routes.connections.listed import CONNECTIONS
from app.dashboard.script import write_curl
from app.dashboard.views.connections.fields import TRANSPORTS, list_fields, show_settings
from app.dashboard.views.connections.rows import show_row
from app.dashboard.visitor import MayReadConnections, MayWriteConnections, Visitor
from app.errors import Refused
from app.runtime import Runtime
from app.web.caller import OpenRuntime, write_as
from app.web.failures import STATUSES
from app.web.links import base_url

router = APIRouter(prefix=CONNECTIONS)


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A connection whose page is shown, with the forms on it. `typed` are the members that were sent."""

    connection: StoredConnection
    uses: list[ConnectionUse]
    settings: FilledForm
    paths: FilledForm  # of the tests: a field for each purpose
    typed: Mapping[str, object] = field(default_factory=dict)


async def open_page(visitor: Visitor, runtime: Runtime, connection_id: str) -> OpenPage:
    """Raises Refused("not_found")."""
    async with runtime.database.read() as session:
        connection = await load_connection(session, runtime.vault, visitor.account_id, connection_id)
        uses = await list_uses(session, visitor.account_id, connection_id)
    paths = {f"{purpose}-path": test.path for purpose, test in show_row(connection).tests.items()}
    return OpenPage(connection, uses, FilledForm(show_settings(connection.declaration.settings)), FilledForm(paths))


def render_one(request: Request, visitor: Visitor, runtime: Runtime, page: OpenPage, *, status: int = 200) -> Response:
    declaration, base = page.connection.declaration, base_url(request, runtime)
    transport, own = str(declaration.settings["transport"]), f"/connections/{page.connection.id}"
    typed = SECRETS.keys() & page.typed.keys()
    return render_page(
        request,
        visitor,
        "connections/one.html",
        status,
        row=show_row(page.connection),
        words=TRANSPORTS[transport],
        uses=page.uses,
        form=page.settings,
        paths=page.paths,
        fields=list_fields(transport, stored=declaration.secrets, typed=typed),
        commands=[
            write_curl(base, f"{own}/test-import", body={"path": page.paths.value("import-path")}),
            write_curl(base, own, method="PUT", body=dict(declaration.settings)),
        ],
    )


@router.get("/{connection_id}")
async def show(request: Request, visitor: MayReadConnections, runtime: OpenRuntime, connection_id: str) -> Response:
    return render_one(request, visitor, runtime, await open_page(visitor, runtime, connection_id))


@router.post("/{connection_id}")
async def save(request: Request, visitor: MayWriteConnections, runtime: OpenRuntime, connection_id: str) -> Response:
    """Replaces the settings. Secrets that come empty are kept, unless they would go to another server."""
    page = await open_page(visitor, runtime, connection_id)
    transport = str(page.connection.declaration.settings["transport"])
    members = read_members(await read_form(request), transport)
    try:
        async with write_as(visitor.caller, runtime) as session:
            await replace_connection(session, runtime.vault, visitor.account_id, connection_id, members)
    except Refused as refused:
        settings = show_again(members, transport, refused)
        again = OpenPage(page.connection, page.uses, settings, page.paths, members)
        return render_one(request, visitor, runtime, again, status=STATUSES[refused.code])
    return redirect(f"{CONNECTIONS}/{connection_id}", notice="Connection saved.")
