"""Single-use coupon codes, each of which belongs to one coupon set for good."""

from app.resources.schema import Field, Resource

RESOURCE = Resource(
    name="coupons",
    keys=("code",),
    fields=(
        Field("code", "text", "Coupon code", required=True, samples=("SPRING-7F3K", "SPRING-9QXA", "SPRING-B2LM")),
        # Comes from the request, not from a column of the file.
        Field("couponSetId", "text", "Coupon set ID", read_only=True),
    ),
    fixed="couponSetId",
)
