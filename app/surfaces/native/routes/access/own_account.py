"""What the account of the caller may have, and what it has."""

from fastapi.responses import Response

from app.accounts.account import read_use
from app.surfaces.native import translate
from app.surfaces.native.access import accounts
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.access.accounts import OwnAccount
from app.web.caller import MayReadImports, OpenRuntime
from app.web.refusals import refusals

router = build_router("/account", "imports")


@router.get("", response_model=OwnAccount, responses=refusals(401, 403, 503))
async def get_account(caller: MayReadImports, runtime: OpenRuntime) -> Response:
    """Read the limits of the account, and what it uses of them."""
    async with runtime.heavy_reads.turn(caller.account_id), runtime.database.read() as session:
        use = await read_use(session, caller.account_id)
    shown = accounts.own_account(caller.account, runtime, caller.quotas, use)
    return Response(shown.encoded(), media_type=translate.JSON)
