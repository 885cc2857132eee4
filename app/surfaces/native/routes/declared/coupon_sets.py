"""Coupon sets: created here, filled by imports."""

from fastapi import Request
from fastapi.responses import Response

from app.declarations import coupon_sets
from app.surfaces.native import translate
from app.surfaces.native.router import build_router
from app.surfaces.native.wire.declared.coupon_sets import COUPON_SET_BODY, NEW_COUPON_SET, CouponSet
from app.web.bodies.json_body import read_json_object
from app.web.caller import MayReadImports, MayWriteImports, OpenRuntime, write_as
from app.web.refusals import refusals

router = build_router("/coupon-sets/{set_id}", "coupon sets")


@router.put(
    "",
    response_model=CouponSet,
    responses=refusals(400, 401, 403, 404, 413, 415, 422, 503) | NEW_COUPON_SET,
    openapi_extra=COUPON_SET_BODY,
)
async def put_coupon_set(request: Request, set_id: str, caller: MayWriteImports, runtime: OpenRuntime) -> Response:
    """Create a coupon set, or rename it."""
    body = await read_json_object(request, idle=runtime.settings.upload_idle_seconds)
    async with runtime.heavy_reads.turn(caller.account_id), write_as(caller, runtime) as session:
        row, new = await coupon_sets.put_coupon_set(session, caller.account_id, set_id, body)
    return Response(translate.coupon_set(row).encoded(), 201 if new else 200, media_type=translate.JSON)


@router.get("", response_model=CouponSet, responses=refusals(401, 403, 404, 503))
async def get_coupon_set(set_id: str, caller: MayReadImports, runtime: OpenRuntime) -> Response:
    """Read a coupon set and the number of its coupons."""
    async with runtime.heavy_reads.turn(caller.account_id), runtime.database.read() as session:
        row = await coupon_sets.load_coupon_set(session, caller.account_id, set_id)
    return Response(translate.coupon_set(row).encoded(), media_type=translate.JSON)
