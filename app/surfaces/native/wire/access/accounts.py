"""Shapes of accounts, as their callers and as the operator of the service see them."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from app.accounts.account import LONGEST_NAME
from app.quotas.quota import QUOTAS
from app.surfaces.native.wire.records import Precision
from app.surfaces.native.wire.shape import Links
from app.web.declared.shape import SentShape, json_body
from app.web.shapes import UNSET_TIME, Shape, Timestamp


def wanted(name: str) -> Any:
    """The field of a request for a quota."""
    quota = QUOTAS[name]
    return Field(default=None, ge=1, le=quota.most, description=f"{quota.about}. null: as for every account")


def shown(name: str) -> Any:
    return Field(default=0, description=QUOTAS[name].about)


class QuotasBody(SentShape):
    open_imports: int | None = wanted("open_imports")
    file_bytes: int | None = wanted("file_bytes")
    retention_days: int | None = wanted("retention_days")
    records: int | None = wanted("records")
    stored_bytes: int | None = wanted("stored_bytes")
    keys: int | None = wanted("keys")


class Quotas(Shape):
    """A quota that is absent is not set."""

    open_imports: int = shown("open_imports")
    file_bytes: int = shown("file_bytes")
    retention_days: int = shown("retention_days")
    records: int = shown("records")
    stored_bytes: int = shown("stored_bytes")
    keys: int = shown("keys")


OF_ITS_OWN: Final = "What holds for this account in place of what holds for all. What is left out stays as it is"


class AccountBody(SentShape):
    name: str = Field(min_length=1, max_length=LONGEST_NAME, description="One line, without `/`")
    quotas: QuotasBody = Field(default=QuotasBody(), description=OF_ITS_OWN)


class AccountChanges(SentShape):
    quotas: QuotasBody = Field(default=QuotasBody(), description=OF_ITS_OWN)
    suspended: bool | None = Field(
        default=None, description="true: nobody comes in, and its work waits; false: it is active again"
    )


class UseShape(Shape):
    """What the account has at the moment."""

    open_imports: int = Field(description="Imports that wait, run or are halted")
    keys: int = Field(description="API keys that are not revoked")
    records: int = Field(description="Of all types")
    records_precision: Precision
    stored_bytes: int = Field(description="Bytes of stored files: of imports, exports, item syncs, drafts and pictures")


class OwnAccount(Shape):
    name: str
    limits: Quotas = Field(description="What holds for the account, of its own or as for every account")
    use: UseShape


Erased = Annotated[dict[str, int], Field(examples=[{"records": 120_000, "files": 31}])]


class Deletion(Shape):
    """How far the deletion of an account has come. What there is nothing of is absent."""

    since: Timestamp
    erased: Erased = Field(description="How much of what is gone")
    remaining: Erased = Field(default={}, description="What remains, each counted up to 10,000; only of one account")


class ListedAccount(Shape):
    name: str
    id: int = Field(description="The number by which logs call it")
    status: Literal["active", "suspended", "deleting"]
    created_at: Timestamp
    quotas: Quotas = Field(description="Of its own")
    deletion: Deletion = Field(
        default=Deletion(since=UNSET_TIME, erased={}), description="Present while it is being deleted"
    )


class FoundAccount(ListedAccount):
    """An account with what holds for it and what it has."""

    limits: Quotas = Field(description="What holds for the account, of its own or as for every account")
    use: UseShape


class AccountList(Shape):
    """In the order of the names."""

    links: Links
    results: list[ListedAccount]


ACCOUNT_BODY: Final = json_body(AccountBody, {"name": "shop-berlin", "quotas": {"openImports": 20}})
CHANGES_BODY: Final = json_body(AccountChanges, {"quotas": {"fileBytes": 104_857_600, "openImports": None}})
