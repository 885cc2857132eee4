"""Accounts: made, given quotas and deleted by the operator of the service, whose key belongs to no account."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from app.accounts import account as administered
from app.accounts.account import AdministeredAccount, create_account, list_accounts, load_account, read_use
from app.accounts.deletion import announce_deletion, begin_deletion
from app.runtime import Runtime
from app.storage.erasing.parts import count_remaining
from app.surfaces.native import translate
from app.surfaces.native.access import accounts
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.access.accounts import (
    ACCOUNT_BODY,
    CHANGES_BODY,
    AccountBody,
    AccountChanges,
    AccountList,
    FoundAccount,
    QuotasBody,
)
from app.surfaces.native.wire.shape import Links
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayOperate, OpenRuntime, administer_as
from app.web.links import decode_cursor, encode_cursor, link_to_same_path
from app.web.refusals import refusals
from app.web.surface import parse_shape

router = build_router("/admin/accounts", "admin", for_operator=True)


@router.get("", response_model=AccountList, responses=refusals(401, 403, 422, 503))
async def list_all_accounts(
    request: Request,
    _: MayOperate,
    runtime: OpenRuntime,
    *,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: str | None = None,
) -> Response:
    """List the accounts with their own quotas, in the order of their names."""
    after = decode_cursor(cursor)
    async with runtime.database.read() as session:
        found, following = await list_accounts(session, after=after, limit=limit)
    query = {"limit": limit, "cursor": following and encode_cursor(following)}
    links = Links(next=link_to_same_path(request, runtime, **query)) if following else Links()
    shown = AccountList(links=links, results=[accounts.listed_account(each) for each in found])
    return Response(shown.encoded(), media_type=translate.JSON)


@router.post(
    "",
    status_code=201,
    response_model=FoundAccount,
    responses=refusals(400, 401, 403, 409, 413, 422, 503),
    openapi_extra=ACCOUNT_BODY,
)
async def create_one_account(request: Request, operator: MayOperate, runtime: OpenRuntime) -> Response:
    """Create an account. Make its first key with `POST /admin/accounts/{name}/keys`."""
    body = parse_shape(AccountBody, await read_json_object(request, idle=runtime.settings.upload_idle_seconds))
    async with administer_as(operator, runtime) as session:
        account = await create_account(session, body.name, wanted_quotas(body.quotas))
    return await respond(runtime, account, 201)


@router.get("/{name}", response_model=FoundAccount, responses=refusals(401, 403, 404, 503))
async def get_one_account(name: str, _: MayOperate, runtime: OpenRuntime) -> Response:
    """Read an account: its quotas, what holds for it, and what it uses; while it is being deleted, what is gone and
    what remains. An account is also found by its number."""
    async with runtime.database.read() as session:
        account = await load_account(session, name)
    return await respond(runtime, account)


@router.patch(
    "/{name}",
    response_model=FoundAccount,
    responses=refusals(400, 401, 403, 404, 409, 413, 422, 503),
    openapi_extra=CHANGES_BODY,
)
async def change_account(request: Request, name: str, operator: MayOperate, runtime: OpenRuntime) -> Response:
    """Change quotas of an account, for what is asked from now on: null takes one away. Or suspend it: its keys and
    people are refused, its open runs wait, and nothing of it starts by the clock, until it is active again. What is
    left out stays."""
    body = parse_shape(AccountChanges, await read_json_object(request, idle=runtime.settings.upload_idle_seconds))
    async with administer_as(operator, runtime) as session:
        account = await administered.change_account(session, name, wanted_quotas(body.quotas), suspended=body.suspended)
    return await respond(runtime, account)


@router.delete(
    "/{name}", status_code=202, response_model=FoundAccount, responses=refusals(401, 403, 404, 409, 422, 503)
)
async def delete_account(
    name: str,
    operator: MayOperate,
    runtime: OpenRuntime,
    *,
    confirm: Annotated[str, Query(description="The name of the account once more")],
) -> Response:
    """Delete an account with everything that it has, for good. Its keys and sessions end at once, and so do its open
    runs. Workers erase the rest; `GET` shows how far they are, and 404 once nothing is left."""
    async with administer_as(operator, runtime) as session:
        account, cancelled = await begin_deletion(session, name, confirm)
    announce_deletion(runtime, account, cancelled, by=operator.id)
    return await respond(runtime, account, 202)


def wanted_quotas(body: QuotasBody) -> dict[str, int | None]:
    return {name: getattr(body, name) for name in body.model_fields_set}


async def respond(runtime: Runtime, account: AdministeredAccount, status: int = 200) -> Response:
    async with runtime.database.read() as session:
        use = await read_use(session, account.id)
        remaining = {} if account.deleting_at is None else await count_remaining(session, account.id)
    shown = accounts.found_account(account, runtime, use, remaining)
    return Response(shown.encoded(), status, media_type=translate.JSON)
