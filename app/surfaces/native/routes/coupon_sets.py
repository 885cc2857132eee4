"""Coupon sets: made here, filled by imports."""

import unicodedata

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import Complaint, Refused
from app.storage import coupon_sets
from app.surfaces.native import translate, wire
from app.web.bodies.json_body import json_object
from app.web.caller import MayReadImports, MayWriteImports, Opened
from app.web.openapi import operation_id
from app.web.refusals import refusals

router = APIRouter(prefix="/coupon-sets/{set_id}", tags=["coupon sets"], generate_unique_id_function=operation_id)
LONGEST = 255  # characters of an id and of a name


@router.put(
    "",
    response_model=wire.CouponSet,
    responses=refusals(400, 401, 403, 404, 413, 422, 503) | wire.MADE_SET,
    openapi_extra=wire.SET_BODY,
)
@router.put("/", include_in_schema=False)
async def put_coupon_set(request: Request, set_id: str, caller: MayWriteImports, runtime: Opened) -> Response:
    """Make a coupon set, or rename it."""
    body = await json_object(request, idle=runtime.settings.upload_idle_seconds)
    name = body.get("name", set_id)
    complaints = [*unfit("id", set_id), *unfit("name", name)]
    if complaints or not isinstance(name, str):
        raise Refused("invalid", "; ".join(f"{each.path}: {each.reason}" for each in complaints), complaints)
    async with runtime.database.transaction() as session:
        new = await coupon_sets.put(session, caller.account_id, set_id, name)
        row = await coupon_sets.get(session, caller.account_id, set_id)
    assert row is not None  # noqa: S101  put in the same transaction
    return Response(translate.coupon_set(row).encoded(), 201 if new else 200, media_type=translate.JSON)


def unfit(path: str, text: object) -> list[Complaint]:
    if not isinstance(text, str):
        return [Complaint(path, "must be text")]
    if not 0 < len(text) <= LONGEST:
        return [Complaint(path, f"must have 1 to {LONGEST} characters")]
    if any(unicodedata.category(each) in {"Cc", "Cs"} for each in text):
        return [Complaint(path, "holds a control character")]
    return []


@router.get("", response_model=wire.CouponSet, responses=refusals(401, 403, 404, 503))
@router.get("/", include_in_schema=False)
async def get_coupon_set(set_id: str, caller: MayReadImports, runtime: Opened) -> Response:
    """Read a coupon set and the number of its coupons."""
    async with runtime.database.read() as session:
        row = await coupon_sets.get(session, caller.account_id, set_id)
    if row is None:
        raise Refused("not_found", "There is no coupon set with this id")
    return Response(translate.coupon_set(row).encoded(), media_type=translate.JSON)
