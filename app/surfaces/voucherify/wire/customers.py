"""Voucherify's customers, and the query of a list of them."""

from datetime import date
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.surfaces.voucherify.wire.shape import TimeText, VoucherifyShape
from app.web.shapes import UNSET_TIME, Timestamp

TIME: Final = "An ISO 8601 date or date-time. Customers with exactly this time are left out"
CREATED: Final = "With six decimals. The last one of a page is the `starting_after` of the next page"


class Address(VoucherifyShape):
    """The parts that were ever set. A cleared part is null."""

    city: str | None = None
    state: str | None = None
    line_1: str | None = None
    line_2: str | None = None
    country: str | None = None
    postal_code: str | None = None


class Gift(VoucherifyShape):
    redeemed_amount: int
    amount_to_go: int


class LoyaltyCard(VoucherifyShape):
    redeemed_points: int
    points_to_go: int


class Redemptions(VoucherifyShape):
    total_redeemed: int
    total_failed: int
    total_succeeded: int
    total_rolled_back: int
    total_rollback_failed: int
    total_rollback_succeeded: int
    gift: Gift
    loyalty_card: LoyaltyCard


class Orders(VoucherifyShape):
    total_amount: int
    total_count: int
    average_amount: int
    last_order_amount: int


class Summary(VoucherifyShape):
    redemptions: Redemptions
    orders: Orders


class Loyalty(VoucherifyShape):
    points: int
    referred_customers: int
    campaigns: dict[str, Any]


class Referrals(VoucherifyShape):
    total: int
    campaigns: list[dict[str, Any]]


class Customer(VoucherifyShape):
    """Fields without a value are absent; in `metadata` they are null. There are no redemptions, orders or referrals
    here, so `summary`, `loyalty` and `referrals` hold zeros."""

    id: str = Field(examples=["cust_7c5b1d2ee3a1f0a94c1b0d6e"])
    source_id: str | None = Field(default=None, description="The customer's id in your own system")
    name: str | None = None
    description: str | None = None
    email: str | None = None
    phone: str | None = None
    birthdate: date | None = None
    birthday: date | None = Field(default=None, description="Deprecated. The same as `birthdate`", deprecated=True)
    address: Address | None
    summary: Summary
    loyalty: Loyalty
    referrals: Referrals
    metadata: dict[str, Any] = Field(default={}, description="Numbers keep the digits that were sent")
    system_metadata: dict[str, Any] = Field(description="Always empty")
    created_at: Timestamp = Field(description=CREATED)
    updated_at: Timestamp = Field(default=UNSET_TIME, description="Absent until the first change")
    object: Literal["customer"]


class CustomerList(VoucherifyShape):
    object: Literal["list"]
    data_ref: Literal["customers"]
    customers: list[Customer]
    total: int = Field(description="How many customers match the filters, on all pages")
    has_more: bool = Field(description="Whether there are more after this page")


class CustomerQuery(BaseModel):
    """The query of a list. Times are strings here, because the SDKs spell them in more ways than a date-time allows."""

    model_config = ConfigDict(frozen=True)

    limit: int = Field(default=10, ge=1, le=100)
    page: int | None = Field(default=None, ge=1, le=99, description="The number of the page")
    email: str | None = Field(default=None, description="The e-mail address, in upper or lower case")
    city: str | None = Field(default=None, description="The city of the address, exactly as stored")
    name: str | None = Field(default=None, description="The name, exactly as stored")
    segment_id: str | None = Field(default=None, description="There are no segments here, so the list is empty")
    created_before: TimeText | None = Field(default=None, alias="created_at[before]", description=TIME)
    created_after: TimeText | None = Field(default=None, alias="created_at[after]", description=TIME)
    updated_before: TimeText | None = Field(
        default=None,
        alias="updated_at[before]",
        description="Matches only customers that were changed after they were created",
    )
    updated_after: TimeText | None = Field(
        default=None,
        alias="updated_at[after]",
        description="Matches only customers that were changed after they were created",
    )
    order: Literal["created_at", "-created_at", "updated_at", "-updated_at", "source_id", "-source_id"] = "-created_at"
    starting_after: TimeText | None = Field(
        default=None,
        description="The `created_at` of the last customer you have seen; the list continues after it. With the order "
        "`updated_at` or `-updated_at`, its `updated_at`, or its `created_at` if it has none",
    )
