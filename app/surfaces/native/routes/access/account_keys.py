"""The API keys of any account, as the operator of the service makes and revokes them."""

from fastapi import Request
from fastapi.responses import Response

from app.accounts.account import hold_account, load_account
from app.auth.account_keys import list_account_keys, make_key, revoke_account_key
from app.auth.keys import NewKey
from app.surfaces.native import translate
from app.surfaces.native.access import keys_and_people as access
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.access.keys import API_KEY_BODY, ApiKeyBody, ApiKeyList, NewApiKey
from app.surfaces.native.wire.shape import Links
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayOperate, OpenRuntime, administer_as
from app.web.refusals import refusals
from app.web.surface import parse_shape

router = build_router("/admin/accounts/{name}/keys", "admin", for_operator=True)


def has_every_scope(_: str) -> bool:
    """The operator gives any scope of an account."""
    return True


@router.get("", response_model=ApiKeyList, responses=refusals(401, 403, 404, 503))
async def list_keys_of_account(name: str, _: MayOperate, runtime: OpenRuntime) -> Response:
    """List the API keys of an account, with their last use. Secrets are not stored and never shown."""
    async with runtime.database.read() as session:
        account = await load_account(session, name)
        found = await list_account_keys(session, account.id)
    results = [access.api_key(each) for each in found]
    return Response(ApiKeyList(links=Links(), results=results).encoded(), media_type=translate.JSON)


@router.post(
    "",
    status_code=201,
    response_model=NewApiKey,
    responses=refusals(400, 401, 403, 404, 409, 413, 422, 503),
    openapi_extra=API_KEY_BODY,
)
async def create_key_of_account(request: Request, name: str, operator: MayOperate, runtime: OpenRuntime) -> Response:
    """Make an API key of an account. Its secret is in this answer, and nowhere else."""
    body = parse_shape(ApiKeyBody, await read_json_object(request, idle=runtime.settings.upload_idle_seconds))
    wanted = NewKey(body.label, tuple(body.scopes), body.expires_in_days)
    async with administer_as(operator, runtime) as session:
        account = await hold_account(session, name)
        made, whole = await make_key(
            session, account.id, wanted, has_every_scope, created_by=None, pepper=runtime.pepper
        )
    shown = NewApiKey(key=whole, **access.key_members(made))
    return Response(shown.encoded(), 201, media_type=translate.JSON)


@router.delete("/{key_id}", status_code=204, responses=refusals(401, 403, 404, 503))
async def revoke_key_of_account(name: str, key_id: str, operator: MayOperate, runtime: OpenRuntime) -> Response:
    """Revoke an API key of an account for good. Its next request is refused."""
    async with administer_as(operator, runtime) as session:
        account = await load_account(session, name)
        await revoke_account_key(session, account.id, key_id)
    return Response(status_code=204)
