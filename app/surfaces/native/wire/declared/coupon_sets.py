"""Shapes of coupon sets."""

from typing import Any, Final

from pydantic import Field

from app.web.declared.shape import json_body
from app.web.shapes import Shape, Timestamp


class CouponSetBody(Shape):
    name: str = Field(default="", max_length=255, description="A name for people. Default: the id")


class CouponSet(Shape):
    id: str
    name: str
    quantity: int = Field(description="The number of coupons in the set")
    created_at: Timestamp
    updated_at: Timestamp


COUPON_SET_BODY: Final = json_body(CouponSetBody, {"name": "Spring"}, closed=False)
NEW_COUPON_SET: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": CouponSet, "description": "The coupon set is new"}
}
