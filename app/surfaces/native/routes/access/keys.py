"""API keys: made, listed and revoked by an admin of their account."""

from fastapi import Request
from fastapi.responses import Response

from app.auth.account_keys import list_account_keys, load_key, make_key, revoke_account_key
from app.auth.keys import NewKey
from app.surfaces.native import translate
from app.surfaces.native.access import keys_and_people as access
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.access.keys import API_KEY_BODY, ApiKey, ApiKeyBody, ApiKeyList, NewApiKey
from app.surfaces.native.wire.shape import Links
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayAdminister, OpenRuntime, write_as
from app.web.refusals import refusals
from app.web.surface import parse_shape

router = build_router("/keys", "keys")


@router.get("", response_model=ApiKeyList, responses=refusals(401, 403, 503))
async def list_keys(caller: MayAdminister, runtime: OpenRuntime) -> Response:
    """List the API keys of the account, with their last use. Secrets are not stored and never shown."""
    async with runtime.database.read() as session:
        found = await list_account_keys(session, caller.account_id)
    results = [access.api_key(each) for each in found]
    return Response(ApiKeyList(links=Links(), results=results).encoded(), media_type=translate.JSON)


@router.post(
    "",
    status_code=201,
    response_model=NewApiKey,
    responses=refusals(400, 401, 403, 413, 415, 422, 503),
    openapi_extra=API_KEY_BODY,
)
async def create_key(request: Request, caller: MayAdminister, runtime: OpenRuntime) -> Response:
    """Make an API key. Its secret is in this answer, and nowhere else."""
    body = parse_shape(ApiKeyBody, await read_json_object(request, idle=runtime.settings.upload_idle_seconds))
    wanted = NewKey(body.label, tuple(body.scopes), body.expires_in_days)
    async with write_as(caller, runtime) as session:
        made, whole = await make_key(
            session, caller.account_id, wanted, caller.has_scope, created_by=caller.id, pepper=runtime.pepper
        )
    shown = NewApiKey(key=whole, **access.key_members(made))
    return Response(shown.encoded(), 201, media_type=translate.JSON)


@router.get("/{key_id}", response_model=ApiKey, responses=refusals(401, 403, 404, 503))
async def get_key(key_id: str, caller: MayAdminister, runtime: OpenRuntime) -> Response:
    """Read an API key, without its secret."""
    async with runtime.database.read() as session:
        found = await load_key(session, caller.account_id, key_id)
    return Response(access.api_key(found).encoded(), media_type=translate.JSON)


@router.delete("/{key_id}", status_code=204, responses=refusals(401, 403, 404, 503))
async def revoke_key(key_id: str, caller: MayAdminister, runtime: OpenRuntime) -> Response:
    """Revoke an API key for good. Its next request is refused, and so are its access tokens and sessions."""
    async with write_as(caller, runtime) as session:
        await revoke_account_key(session, caller.account_id, key_id)
    return Response(status_code=204)
