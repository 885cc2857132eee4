"""Customers read back as Voucherify shows them: one by either id, lists by every filter and order, page after page."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text

from app.resources.customers import RESOURCE
from app.resources.stored_keys import key_from_source
from app.runtime import Runtime
from tests.conftest import NewAccount
from tests.support.http import Account

CREATED = datetime(2024, 5, 1, 10, 20, 30, 123400, tzinfo=UTC)
CHANGED = datetime(2024, 6, 1, 0, 0, 0, 7, tzinfo=UTC)

NOTHING_DONE = {
    "summary": {
        "redemptions": {
            "total_redeemed": 0,
            "total_failed": 0,
            "total_succeeded": 0,
            "total_rolled_back": 0,
            "total_rollback_failed": 0,
            "total_rollback_succeeded": 0,
            "gift": {"redeemed_amount": 0, "amount_to_go": 0},
            "loyalty_card": {"redeemed_points": 0, "points_to_go": 0},
        },
        "orders": {"total_amount": 0, "total_count": 0, "average_amount": 0, "last_order_amount": 0},
    },
    "loyalty": {"points": 0, "referred_customers": 0, "campaigns": {}},
    "referrals": {"total": 0, "campaigns": []},
}
# A new customer with nothing but ids.
BARE = {"address": None, **NOTHING_DONE, "system_metadata": {}, "created_at": "2024-05-01T10:20:30.123400Z"}

INSERT = """
INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_id, run_seq, run_row)
VALUES (:account_id, 'customers', :key, CAST(:data AS jsonb), :made, :changed, 'run', 1, 1)"""


class Customers:
    """The customers of one account: stored as an import stores them, read over HTTP."""

    def __init__(self, runtime: Runtime, client: httpx.AsyncClient, account: Account) -> None:
        self.runtime, self.client, self.account = runtime, client, account

    async def store(self, *rows: dict[str, Any]) -> list[str]:
        """Rows as they are stored, but for `key` (made of the source_id), `made` (each a microsecond after the one
        before, from CREATED on) and `changed` (never). Their ids."""
        values = [self.stored(number, dict(row)) for number, row in enumerate(rows)]
        async with self.runtime.database.transaction() as session:
            await session.execute(text(INSERT), values)
        return [str(each["key"]) for each in values]

    def stored(self, number: int, row: dict[str, Any]) -> dict[str, Any]:
        made = row.pop("made", CREATED + timedelta(microseconds=number))
        key, changed = row.pop("key", None), row.pop("changed", made)
        data = row.pop("data", None) or json.dumps(row)
        key = key or self.id_of(row["source_id"])
        return {"account_id": self.account.id, "key": key, "data": data, "made": made, "changed": changed}

    def id_of(self, source_id: str) -> str:
        assert RESOURCE.surrogate is not None
        return key_from_source(RESOURCE.surrogate, self.account.id, source_id)

    async def ask(self, path: str = "", **query: Any) -> httpx.Response:
        return await self.client.get(f"/v1/customers{path}", params=query or None, headers=self.account.headers)

    async def read(self, named: str) -> dict[str, Any]:
        answer = await self.ask(f"/{quote(named, safe='')}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def list(self, **query: Any) -> dict[str, Any]:
        answer = await self.ask(**query)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def named(self, **query: Any) -> str:
        """The names of the customers in a list."""
        return "".join(each["name"] for each in (await self.list(**query))["customers"])


@pytest.fixture
def customers(runtime: Runtime, client: httpx.AsyncClient, an_account: Account) -> Customers:
    return Customers(runtime, client, an_account)


# One customer


async def test_a_customer_is_shown_with_everything_the_vendor_shows(customers: Customers) -> None:
    data = {
        "source_id": "C-1",
        "name": "Ana Ruiz",
        "description": "Met at the fair",
        "email": "Ana.Ruiz@example.com",
        "phone": "+34 651 234 567",
        "birthdate": "1984-05-06",
        "address.line_1": "Calle Mayor 1",
        "address.line_2": "2º",
        "address.postal_code": "28013",
        "address.city": "Madrid",
        "address.state": "Madrid",
        "address.country": "Spain",
        "metadata.tier": "gold",
    }
    (key,) = await customers.store(data | {"changed": CHANGED})
    expected = {
        "id": key,
        "source_id": "C-1",
        "name": "Ana Ruiz",
        "description": "Met at the fair",
        "email": "Ana.Ruiz@example.com",
        "phone": "+34 651 234 567",
        "birthdate": "1984-05-06",
        "birthday": "1984-05-06",
        "address": {
            "city": "Madrid",
            "state": "Madrid",
            "line_1": "Calle Mayor 1",
            "line_2": "2º",
            "country": "Spain",
            "postal_code": "28013",
        },
        **NOTHING_DONE,
        "metadata": {"tier": "gold"},
        "system_metadata": {},
        "created_at": "2024-05-01T10:20:30.123400Z",
        "updated_at": "2024-06-01T00:00:00.000007Z",
        "object": "customer",
    }
    answer = await customers.ask(f"/{key}")
    # The text, so that the order is the vendor's and every zero is an integer.
    assert answer.text == json.dumps(expected, ensure_ascii=False, separators=(",", ":"))


async def test_fields_that_were_never_set_are_left_out(customers: Customers) -> None:
    (key,) = await customers.store({"source_id": "C-1"})
    assert await customers.read("C-1") == {"id": key, "source_id": "C-1", **BARE, "object": "customer"}


async def test_a_customer_without_a_source_id_is_read_by_its_id(customers: Customers) -> None:
    (key,) = await customers.store({"key": "cust_00000000000000000000beef", "name": "Nobody"})
    assert await customers.read(key) == {"id": key, "name": "Nobody", **BARE, "object": "customer"}


async def test_cleared_fields_are_left_out_too(customers: Customers) -> None:
    cleared = dict.fromkeys(["name", "description", "email", "phone", "birthdate"])
    (key,) = await customers.store({"source_id": "C-1", **cleared})
    assert await customers.read("C-1") == {"id": key, "source_id": "C-1", **BARE, "object": "customer"}


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ({}, None),
        ({"address.city": None, "address.state": None}, None),
        ({"address.city": "Galway", "address.line_1": "12 Quay"}, {"city": "Galway", "line_1": "12 Quay"}),
        ({"address.city": "Galway", "address.line_1": None}, {"city": "Galway", "line_1": None}),
        ({"address.country": ""}, {"country": ""}),
    ],
)
async def test_an_address_has_the_parts_that_were_ever_set(
    customers: Customers, stored: dict[str, Any], shown: dict[str, Any] | None
) -> None:
    await customers.store({"source_id": "C-1", **stored})
    assert (await customers.read("C-1"))["address"] == shown


async def test_metadata_keep_their_names_and_their_values(customers: Customers) -> None:
    metadata = {"a.b": "1", "Tier Level": "x", "metadata.x": True, "": 1, "none": None, "list": [1, {"deep": []}]}
    await customers.store({"source_id": "C-1", **{f"metadata.{name}": value for name, value in metadata.items()}})
    assert (await customers.read("C-1"))["metadata"] == metadata


async def test_numbers_in_metadata_keep_their_digits(customers: Customers) -> None:
    data = '{"source_id": "C-1", "metadata.n": 12345678901234567890.10, "metadata.list": [0.10, {"x": 1.000}]}'
    await customers.store({"source_id": "C-1", "data": data})
    for answer in (await customers.ask("/C-1"), await customers.ask()):
        assert '"n":12345678901234567890.10' in answer.text
        assert '"list":[0.10, {"x": 1.000}]' in answer.text


SOURCES = ["a/b c", "100%", "ünï", "jo+hn@example.org", "q?x=1#y", "..", "a%2Fb", "a/", "/", "importCSV", "&;="]


async def test_a_source_id_is_found_whatever_it_holds(customers: Customers) -> None:
    ids = await customers.store(*({"source_id": source} for source in SOURCES))
    for key, source in zip(ids, SOURCES, strict=True):
        # The client itself would treat dots alone as a folder.
        answer = await customers.ask(f"/{quote(source, safe='').replace('.', '%2E')}")
        assert (answer.status_code, answer.json().get("id"), answer.json().get("source_id")) == (200, key, source)


async def test_a_source_id_is_found_as_the_import_has_read_it(customers: Customers) -> None:
    (key,) = await customers.store({"source_id": "caf\u00e9"})
    for spelled in ("caf\u00e9", "cafe\u0301", " caf\u00e9 "):
        assert (await customers.read(spelled))["id"] == key


async def test_an_id_comes_before_a_source_id_that_looks_like_one(customers: Customers) -> None:
    like_an_id = "cust_0123456789abcdef01234567"
    (imposter,) = await customers.store({"source_id": like_an_id, "name": "by source_id"})
    assert (await customers.read(like_an_id))["id"] == imposter
    await customers.store({"key": like_an_id, "name": "by id"})
    assert (await customers.read(like_an_id))["name"] == "by id"
    assert (await customers.read(imposter))["name"] == "by source_id"


async def test_an_unknown_customer_is_the_vendors_404(customers: Customers) -> None:
    answer = await customers.ask("/alice%40example.org%2Fx")
    body = answer.json()
    assert answer.status_code == 404
    assert body.pop("request_id") == f"v-{answer.headers['x-request-id']}"
    assert body == {
        "code": 404,
        "key": "not_found",
        "message": "Resource not found",
        "details": "Cannot find customer with id alice@example.org/x",
        "resource_id": "alice@example.org/x",
        "resource_type": "customer",
    }


async def test_another_accounts_customer_is_unknown_by_either_id(customers: Customers, a_key: NewAccount) -> None:
    (key,) = await customers.store({"source_id": "C-1"})
    other = Customers(customers.runtime, customers.client, await a_key())
    for path in (f"/{key}", "/C-1"):
        assert (await customers.ask(path)).status_code == 200
        assert (await other.ask(path)).json()["details"] == f"Cannot find customer with id {path[1:]}"
    assert (await other.list())["total"] == 0
    (same,) = await other.store({"source_id": "C-1"})
    assert same != key
    assert (await other.read("C-1"))["id"] == same


@pytest.mark.parametrize("path", ["", "/", "/C-1"])
async def test_customers_need_the_right_to_read_records(
    customers: Customers, a_key: NewAccount, client: httpx.AsyncClient, path: str
) -> None:
    key = await a_key(["imports:write"], customers.account.name)
    answer = await client.get(f"/v1/customers{path}", headers=key.headers)
    assert (answer.status_code, answer.json()["key"]) == (403, "missing_required_permission")
    answer = await client.get(f"/v1/customers{path}")
    assert (answer.status_code, answer.json()["message"]) == (401, "Unauthorized")


async def test_another_method_is_the_vendors_405(customers: Customers, client: httpx.AsyncClient) -> None:
    answer = await client.delete("/v1/customers/C-1", headers=customers.account.headers)
    assert answer.status_code == 405
    assert answer.json()["details"] == "DELETE is not supported by this endpoint. Did you mean GET?"


# Lists


async def test_a_list_is_shown_as_the_vendor_shows_it(customers: Customers) -> None:
    first, second = await customers.store({"source_id": "C-1"}, {"source_id": "C-2", "name": "Bob"})
    newer = BARE | {"created_at": "2024-05-01T10:20:30.123401Z"}
    expected = {
        "object": "list",
        "data_ref": "customers",
        "customers": [
            {"id": second, "source_id": "C-2", "name": "Bob", **newer, "object": "customer"},
            {"id": first, "source_id": "C-1", **BARE, "object": "customer"},
        ],
        "total": 2,
        "has_more": False,
    }
    for path in ("", "/"):
        answer = await customers.ask(path)
        assert answer.text == json.dumps(expected, separators=(",", ":"))


async def test_an_account_without_customers_has_an_empty_list(customers: Customers) -> None:
    empty = {"object": "list", "data_ref": "customers", "customers": [], "total": 0, "has_more": False}
    assert await customers.list() == empty


async def test_ten_customers_are_listed_unless_said_otherwise(customers: Customers) -> None:
    await customers.store(*({"source_id": f"C-{number}"} for number in range(12)))
    page = await customers.list()
    assert (len(page["customers"]), page["total"], page["has_more"]) == (10, 12, True)
    page = await customers.list(limit=12)
    assert (len(page["customers"]), page["total"], page["has_more"]) == (12, 12, False)


DAY = timedelta(days=1)
FIVE = (
    {"source_id": "s2", "name": "A", "email": "ana@example.com", "address.city": "Madrid", "made": CREATED},
    {"source_id": "s10", "name": "B", "email": "Bob@Example.com", "made": CREATED + DAY, "changed": CREATED + 9 * DAY},
    {"source_id": "S3", "name": "C", "address.city": "madrid", "made": CREATED + 2 * DAY, "changed": CREATED + 5 * DAY},
    {"key": "cust_none", "name": "D", "email": None, "address.city": "Madrid", "made": CREATED + 3 * DAY},
    {"source_id": "é", "name": "E", "email": "ana@example.com", "made": CREATED + 4 * DAY},
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "EDCBA"),
        ({"email": "ana@example.com"}, "EA"),
        ({"email": "BOB@example.com"}, "B"),
        ({"email": "ana%"}, ""),
        ({"email": ""}, ""),
        ({"city": "Madrid"}, "DA"),
        ({"name": "C"}, "C"),
        ({"name": "c"}, ""),
        ({"name": "A", "city": "Madrid", "email": "ANA@example.com"}, "A"),
        ({"segment_id": "seg_1"}, ""),
        ({"created_at[before]": "2024-05-03T10:20:30.123400Z"}, "BA"),
        ({"created_at[after]": "2024-05-03T10:20:30.123400Z"}, "ED"),
        ({"created_at[after]": "2024-05-02", "created_at[before]": "2024-05-04"}, "CB"),
        ({"updated_at[before]": "2024-05-10"}, "C"),
        ({"updated_at[after]": "2024-05-01"}, "CB"),
        ({"updated_at[after]": "2024-05-06T10:20:30.123400Z"}, "B"),
        ({"order": "created_at"}, "ABCDE"),
        ({"order": "-created_at"}, "EDCBA"),
        ({"order": "updated_at"}, "ADECB"),
        ({"order": "-updated_at"}, "BCEDA"),
        # In the order of bytes. Customers without one come last.
        ({"order": "source_id"}, "CBAED"),
        ({"order": "-source_id"}, "DEABC"),
        ({"order": "source_id", "city": "Madrid"}, "AD"),
        ({"starting_after": "2024-05-03T10:20:30.123400Z"}, "BA"),
        ({"starting_after": "2024-05-03T10:20:30.123400Z", "order": "created_at"}, "DE"),
        # By the time of the last change, or of creation for customers that were never changed.
        ({"starting_after": "2024-05-05", "order": "updated_at"}, "ECB"),
        ({"starting_after": "2024-05-06", "order": "-updated_at"}, "EDA"),
        ({"starting_after": "2024-05-04", "order": "source_id"}, "CBA"),
        ({"limit": "2"}, "ED"),
        ({"limit": "2", "page": "1"}, "ED"),
        ({"limit": "2", "page": "2"}, "CB"),
        ({"limit": "2", "page": "3"}, "A"),
        ({"limit": "2", "page": "4"}, ""),
        ({"limit": "1", "page": "2", "order": "source_id"}, "B"),
        ({"limit": "1", "page": "2", "starting_after": "2024-05-04"}, "B"),
        ({"unknown": "x"}, "EDCBA"),
    ],
)
async def test_a_list_is_filtered_and_in_order(customers: Customers, query: dict[str, str], found: str) -> None:
    await customers.store(*FIVE)
    assert await customers.named(**query) == found


@pytest.mark.parametrize(
    ("query", "total", "more"),
    [
        ({"limit": "2"}, 5, True),
        ({"limit": "2", "page": "2"}, 5, True),
        ({"limit": "2", "page": "3"}, 5, False),
        ({"limit": "2", "page": "9"}, 5, False),
        ({"limit": "1", "city": "Madrid"}, 2, True),
        ({"limit": "2", "city": "Madrid"}, 2, False),
        # The total does not depend on the cursor.
        ({"limit": "1", "starting_after": "2024-05-03T00:00:00Z"}, 5, True),
        ({"limit": "2", "starting_after": "2024-05-03T00:00:00Z"}, 5, False),
        ({"segment_id": "seg_1"}, 0, False),
    ],
)
async def test_a_list_tells_how_many_there_are_and_whether_more_come(
    customers: Customers, query: dict[str, str], total: int, more: bool
) -> None:
    await customers.store(*FIVE)
    page = await customers.list(**query)
    assert (page["total"], page["has_more"]) == (total, more)


@pytest.mark.parametrize(
    "at",
    [
        "2024-05-03T10:20:30.123400+0000",
        "2024-05-03T10:20:30.123400 0000",
        "2024-05-03T12:20:30.1234+02:00",
        "2024-05-03 10:20:30.1234 UTC",
    ],
)
async def test_times_are_parsed_as_the_sdks_send_them(customers: Customers, at: str) -> None:
    await customers.store(*FIVE)
    for name in ("created_at[before]", "starting_after"):
        assert await customers.named(**{name: at}) == "BA"


NOT_A_DATE = "Property .{} cannot be recognized as a ISO-8601 compliant date"
MOMENTS = ["created_at[before]", "created_at[after]", "updated_at[before]", "updated_at[after]", "starting_after"]
ORDERS = "created_at, -created_at, updated_at, -updated_at, source_id or -source_id"


@pytest.mark.parametrize(
    ("query", "details"),
    [
        *(({name: "yesterday"}, NOT_A_DATE.format(name)) for name in MOMENTS),
        ({"starting_after": "", "segment_id": "seg_1"}, NOT_A_DATE.format("starting_after")),
        ({"limit": "0"}, "`limit` must be at least 1"),
        ({"limit": "101"}, "`limit` must be at most 100"),
        ({"limit": "x"}, "`limit` must be a whole number"),
        ({"page": "0"}, "`page` must be at least 1"),
        ({"page": "100"}, "`page` must be at most 99"),
        ({"order": "name"}, f"`order` must be one of {ORDERS}"),
    ],
)
async def test_a_wrong_query_is_the_vendors_400(customers: Customers, query: dict[str, str], details: str) -> None:
    answer = await customers.ask(**query)
    body = answer.json()
    assert answer.status_code == 400
    assert body.pop("request_id") == f"v-{answer.headers['x-request-id']}"
    assert body == {
        "code": 400,
        "key": "invalid_query_params",
        "message": "Invalid query params",
        "details": details,
    }


# Page after page


async def walked(customers: Customers, **query: Any) -> list[str]:
    """All ids. Each page starts after the last customer of the page before, with its time exactly as it was shown."""
    seen: list[str] = []
    while True:
        page = await customers.list(**query)
        seen += [each["id"] for each in page["customers"]]
        assert len(seen) == len(set(seen)), "repeated"
        if not page["has_more"]:
            return seen
        last, by = page["customers"][-1], query.get("order", "created_at").lstrip("-")
        query["starting_after"] = last.get(by, last["created_at"])


@pytest.mark.parametrize("order", [None, "-created_at", "created_at", "updated_at", "-updated_at"])
async def test_a_thousand_customers_of_one_second_are_walked_without_a_gap(
    customers: Customers, order: str | None
) -> None:
    ids = await customers.store(*({"source_id": f"C-{number}"} for number in range(1_000)))
    query = {"limit": 99} | ({} if order is None else {"order": order})
    ascending = order in ("created_at", "updated_at")
    assert await walked(customers, **query) == (ids if ascending else ids[::-1])


@pytest.mark.parametrize("order", ["created_at", "-created_at"])
async def test_a_walk_has_no_gap_where_a_page_ends_among_customers_of_one_moment(
    customers: Customers, order: str
) -> None:
    # As two imports create them: every time occurs twice.
    rows = ({"source_id": f"C-{n}", "made": CREATED + timedelta(microseconds=n % 50)} for n in range(100))
    ids = await customers.store(*rows)
    page = await customers.list(limit=7, order=order)
    assert (len(page["customers"]), page["has_more"]) == (8, True)
    seen = await walked(customers, limit=7, order=order)
    assert (len(seen), set(seen)) == (100, set(ids))


@pytest.mark.parametrize("order", ["created_at", None])
async def test_the_vendors_own_scroll_sees_everybody_once(customers: Customers, order: str | None) -> None:
    """`scroll()` of its JavaScript SDK: it compares times as strings, and starts in 1970 or 2200."""
    ids = await customers.store(*({"source_id": f"C-{number}"} for number in range(250)))
    best = max if order else min
    at, seen = "1970-01-01T00:00:00Z" if order else "2200-01-01T00:00:00Z", []
    while True:
        page = await customers.list(limit=100, starting_after=at, **({"order": order} if order else {}))
        for each in page["customers"]:
            seen.append(each["id"])
            at = best(at, each["created_at"])
        assert len(seen) == len(set(seen)), "repeated"
        if not page["has_more"]:
            break
    assert seen == (ids if order else ids[::-1])


async def test_customers_made_meanwhile_do_not_disturb_a_walk(customers: Customers) -> None:
    ids = await customers.store(*({"source_id": f"C-{number}"} for number in range(20)))
    first = await customers.list(limit=10)
    await customers.store(*({"source_id": f"N-{number}", "made": CHANGED + number * DAY} for number in range(5)))
    second = await customers.list(limit=10, starting_after=first["customers"][-1]["created_at"])
    assert [each["id"] for each in first["customers"] + second["customers"]] == ids[::-1]
    assert (second["total"], second["has_more"]) == (25, False)


async def test_numbered_pages_are_never_longer_than_their_limit(customers: Customers) -> None:
    ids = await customers.store(*({"source_id": f"C-{number}", "made": CREATED} for number in range(25)))
    pages = [await customers.list(limit=10, page=number) for number in (1, 2, 3)]
    assert [len(page["customers"]) for page in pages] == [10, 10, 5]
    assert {each["id"] for page in pages for each in page["customers"]} == set(ids)
