"""Voucherify's access tokens (OAuth 2.0 client credentials): issue, introspect and revoke them."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.auth import tokens
from app.surfaces.voucherify.routes.caller import HoldsKey
from app.surfaces.voucherify.translate import oauth as translate
from app.surfaces.voucherify.wire import oauth as wire
from app.surfaces.voucherify.wire.errors import refusals
from app.surfaces.voucherify.wire.shape import VoucherifyShape
from app.web.bodies.form_body import read_form_fields
from app.web.caller import OpenRuntime, write_as
from app.web.openapi import operation_id
from app.web.server.final_slash import FinalSlashRoute

router = APIRouter(
    prefix="/v1/oauth", tags=["oauth"], generate_unique_id_function=operation_id, route_class=FinalSlashRoute
)
REFUSALS = refusals(400, 401, 403, 413, 415, 429, 500, 503)


@router.post("/token", response_model=wire.AccessToken, responses=REFUSALS, openapi_extra=wire.TOKEN_FORM)
async def generate_oauth_token(request: Request, caller: HoldsKey, runtime: OpenRuntime) -> Response:
    """Issue an access token that stands for the key for 15 minutes, as `Authorization: Bearer …` on every endpoint.

    It may do what both the key and its own scopes allow. The scope `api` allows everything.
    """
    scopes = translate.parse_scopes(await read_form_fields(request, idle=runtime.settings.upload_idle_seconds))
    async with write_as(caller, runtime) as session:
        token = await tokens.issue(session, caller.id, scopes, pepper=runtime.pepper)
    return respond_with_token(translate.render_issued(token))


@router.post("/introspect", response_model=wire.Introspection, responses=REFUSALS, openapi_extra=wire.ONE_TOKEN)
async def introspect_oauth_token(request: Request, caller: HoldsKey, runtime: OpenRuntime) -> Response:
    """Check whether a token is active, what it allows and for how long. Tokens of other accounts count as inactive."""
    value = translate.parse_token(await read_form_fields(request, idle=runtime.settings.upload_idle_seconds))
    async with runtime.database.read() as session:
        token = await tokens.introspect(session, caller.account_id, value, pepper=runtime.pepper)
    return respond_with_token(translate.render_introspected(token))


@router.post("/token/revoke", status_code=204, responses=REFUSALS | wire.NO_TOKEN, openapi_extra=wire.ONE_TOKEN)
async def revoke_oauth_token(request: Request, caller: HoldsKey, runtime: OpenRuntime) -> Response:
    """Revoke a token. The next request with it is refused. 404, without a body, if there is no such active token."""
    value = translate.parse_token(await read_form_fields(request, idle=runtime.settings.upload_idle_seconds))
    async with write_as(caller, runtime) as session:
        revoked = await tokens.revoke(session, caller.account_id, value, pepper=runtime.pepper)
    return Response(status_code=204 if revoked else 404)


def respond_with_token(body: VoucherifyShape) -> Response:
    """A response with a token: no cache may store it (RFC 6749, 5.1)."""
    return Response(body.encoded(), headers={"Cache-Control": "no-store"}, media_type="application/json")
