"""What an account has its imports and item syncs do where their requests do not say it."""

from fastapi import Request
from fastapi.responses import Response

from app.runs.holding.brakes import BRAKES, Brakes
from app.runs.holding.defaults import load_defaults, store_defaults
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.limits import AccountDefaults
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayAdminister, MayReadImports, OpenRuntime, write_as
from app.web.declared.brakes import BrakedBody
from app.web.declared.shape import json_body
from app.web.refusals import refusals
from app.web.surface import parse_shape

router = build_router("/account/defaults", "imports")
BODY = json_body(BrakedBody, {"maxErrorShare": 0.05, "maxRemoved": 1_000})


@router.get("", response_model=AccountDefaults, responses=refusals(401, 403, 503))
async def get_account_defaults(caller: MayReadImports, runtime: OpenRuntime) -> Response:
    """Read the brakes of the account: every import and item sync has them that does not set its own."""
    async with runtime.database.read() as session:
        return render_defaults(await load_defaults(session, caller.account_id))


@router.put(
    "", response_model=AccountDefaults, responses=refusals(400, 401, 403, 413, 415, 422, 503), openapi_extra=BODY
)
async def set_account_defaults(request: Request, caller: MayAdminister, runtime: OpenRuntime) -> Response:
    """Replace the brakes of the account, for what is accepted from now on. A limit that is left out or null is removed.

    A limit of a request or a mapping template counts more. Those about removed records are for imports
    with `replace` and item syncs in mode full; these have a `maxRemovedShare` of 0.5 if nobody sets another one.
    """
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    given = parse_shape(BrakedBody, body)
    brakes = Brakes(**{name: getattr(given, name) for name in BRAKES})
    async with write_as(caller, runtime) as session:
        await store_defaults(session, caller.account_id, brakes)
    return render_defaults(brakes)


def render_defaults(brakes: Brakes) -> Response:
    limits = {name: limit for name in BRAKES if (limit := getattr(brakes, name)) is not None}
    return Response(AccountDefaults(**limits).encoded(), media_type=translate.JSON)
