"""Voucherify's access tokens (OAuth 2.0 client credentials): made, looked at, taken back."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.auth import tokens
from app.surfaces.voucherify.routes.caller import HoldsKey
from app.surfaces.voucherify.translate import oauth as translate
from app.surfaces.voucherify.wire import oauth as wire
from app.surfaces.voucherify.wire.errors import refusals
from app.surfaces.voucherify.wire.shape import Shape
from app.web.bodies.form_body import read_form_fields
from app.web.caller import OpenRuntime, pepper
from app.web.openapi import operation_id

router = APIRouter(prefix="/v1/oauth", tags=["oauth"], generate_unique_id_function=operation_id)
REFUSALS = refusals(400, 401, 403, 413, 415, 429, 500, 503)


@router.post("/token", response_model=wire.AccessToken, responses=REFUSALS, openapi_extra=wire.TOKEN_FORM)
@router.post("/token/", include_in_schema=False)
async def generate_oauth_token(request: Request, caller: HoldsKey, runtime: OpenRuntime) -> Response:
    """Make an access token that stands for the key for 15 minutes, as `Authorization: Bearer …` on every endpoint.

    It may do what the key may, and of that what its scopes open. `api` opens everything.
    """
    scopes = translate.scopes_asked(await read_form_fields(request, idle=runtime.settings.upload_idle_seconds))
    async with runtime.database.transaction() as session:
        token = await tokens.issue(session, caller.key_id, scopes, pepper=pepper(runtime))
    return secret(translate.issued(token))


@router.post("/introspect", response_model=wire.Introspection, responses=REFUSALS, openapi_extra=wire.ONE_TOKEN)
@router.post("/introspect/", include_in_schema=False)
async def introspect_oauth_token(request: Request, caller: HoldsKey, runtime: OpenRuntime) -> Response:
    """Tell whether a token is live, and what it opens for how long. Another account's token is as good as none."""
    named = translate.token_named(await read_form_fields(request, idle=runtime.settings.upload_idle_seconds))
    async with runtime.database.read() as session:
        token = await tokens.introspect(session, caller.account_id, named, pepper=pepper(runtime))
    return secret(translate.introspected(token))


@router.post("/token/revoke", status_code=204, responses=REFUSALS | wire.NO_TOKEN, openapi_extra=wire.ONE_TOKEN)
@router.post("/token/revoke/", include_in_schema=False)
async def revoke_oauth_token(request: Request, caller: HoldsKey, runtime: OpenRuntime) -> Response:
    """Take a token back from the next request on. 404, without a body, when it is none or was dead already."""
    named = translate.token_named(await read_form_fields(request, idle=runtime.settings.upload_idle_seconds))
    async with runtime.database.transaction() as session:
        revoked = await tokens.revoke(session, caller.account_id, named, pepper=pepper(runtime))
    return Response(status_code=204 if revoked else 404)


def secret(shown: Shape) -> Response:
    """An answer with a token in it: nobody between may keep it (RFC 6749, 5.1)."""
    return Response(shown.encoded(), headers={"Cache-Control": "no-store"}, media_type="application/json")
