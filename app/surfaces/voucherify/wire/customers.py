"""Voucherify's customers, one and by the page, and what may be asked for in a list of them."""

from datetime import date
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.surfaces.voucherify.wire.shape import Shape, Spelled
from app.web.shapes import UNSET_TIME, Timestamp

MOMENT: Final = "A date or a date-time of ISO 8601; customers of that very moment are left out"
CREATED: Final = "With six decimals; the last one of a page is the next page's `starting_after`"


class Address(Shape):
    """The parts that were ever set; one that was cleared is null."""

    city: str | None = None
    state: str | None = None
    line_1: str | None = None
    line_2: str | None = None
    country: str | None = None
    postal_code: str | None = None


class Gift(Shape):
    redeemed_amount: int
    amount_to_go: int


class LoyaltyCard(Shape):
    redeemed_points: int
    points_to_go: int


class Redemptions(Shape):
    total_redeemed: int
    total_failed: int
    total_succeeded: int
    total_rolled_back: int
    total_rollback_failed: int
    total_rollback_succeeded: int
    gift: Gift
    loyalty_card: LoyaltyCard


class Orders(Shape):
    total_amount: int
    total_count: int
    average_amount: int
    last_order_amount: int


class Summary(Shape):
    redemptions: Redemptions
    orders: Orders


class Loyalty(Shape):
    points: int
    referred_customers: int
    campaigns: dict[str, Any]


class Referrals(Shape):
    total: int
    campaigns: list[dict[str, Any]]


class Customer(Shape):
    """What was never set is left out, what was cleared is null. Nothing is redeemed, ordered or referred here, so that
    `summary`, `loyalty` and `referrals` hold zeros."""

    id: str = Field(examples=["cust_7c5b1d2ee3a1f0a94c1b0d6e"])
    source_id: str | None = Field(default=None, description="The customer's id in the caller's own system")
    name: str | None = None
    description: str | None = None
    email: str | None = None
    phone: str | None = None
    birthdate: date | None = None
    birthday: date | None = Field(default=None, description="Deprecated: the birthdate", deprecated=True)
    address: Address | None
    summary: Summary
    loyalty: Loyalty
    referrals: Referrals
    metadata: dict[str, Any] = Field(default={}, description="Numbers have the digits they were given")
    system_metadata: dict[str, Any] = Field(description="Always empty")
    created_at: Timestamp = Field(description=CREATED)
    updated_at: Timestamp = Field(default=UNSET_TIME, description="Absent until the first change")
    object: Literal["customer"]


class CustomerList(Shape):
    object: Literal["list"]
    data_ref: Literal["customers"]
    customers: list[Customer]
    total: int = Field(description="How many fit the filters, on all pages")
    has_more: bool = Field(description="Whether any comes after this page")


class CustomersAsked(BaseModel):
    """The query of a list. Moments are texts here: the SDKs spell them in more ways than a date-time has."""

    model_config = ConfigDict(frozen=True)

    limit: int = Field(default=10, ge=1, le=100)
    page: int | None = Field(default=None, ge=1, le=99, description="The number of the page")
    email: str | None = Field(default=None, description="The e-mail address, in any case")
    city: str | None = Field(default=None, description="The city of the address, letter for letter")
    name: str | None = Field(default=None, description="The name, letter for letter")
    segment_id: str | None = Field(default=None, description="There are no segments: the list is empty")
    created_before: Spelled | None = Field(default=None, alias="created_at[before]", description=MOMENT)
    created_after: Spelled | None = Field(default=None, alias="created_at[after]", description=MOMENT)
    updated_before: Spelled | None = Field(
        default=None, alias="updated_at[before]", description="Finds only customers that were ever changed"
    )
    updated_after: Spelled | None = Field(
        default=None, alias="updated_at[after]", description="Finds only customers that were ever changed"
    )
    order: Literal["created_at", "-created_at", "updated_at", "-updated_at", "source_id", "-source_id"] = "-created_at"
    starting_after: Spelled | None = Field(
        default=None,
        description="`created_at` of the last customer seen: the list goes on behind it. With the order `updated_at` "
        "or `-updated_at` its `updated_at`, or `created_at` when it has none",
    )
