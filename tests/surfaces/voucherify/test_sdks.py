"""Voucherify's published SDKs, two versions each in two languages, work once they call this host."""

import json
from secrets import token_hex
from typing import Any

import httpx
import pytest

from tests.support import environments
from tests.support.environments import LOCKS, needs_node, run
from tests.support.live import Live
from tests.support.proxy import Proxy

PROGRAMS = LOCKS / "published"
UNKNOWN = f"aa_{'0' * 24}"
PYTHON = ["voucherify-6", "voucherify-5"]
# Of each language the newest in every run.
OLDER = pytest.mark.slow
JAVASCRIPT = [
    pytest.param("voucherify-sdk-2.9.0", marks=needs_node),
    pytest.param("voucherify-sdk-2.7.0", marks=[needs_node, OLDER]),
]

# An SDK does everything in one process, and the tests check its output. They share a worker, so that it runs once.
pytestmark = [pytest.mark.xdist_group("sdks"), pytest.mark.timeout(300)]

Told = dict[str, Any]


class Programs:
    """What the program of each SDK said, with an account of its own."""

    def __init__(self, live: Live, proxy: Proxy, config: pytest.Config) -> None:
        self.live, self.proxy, self.config = live, proxy, config
        self.said: dict[str, Told] = {}
        self.keys: dict[str, str] = {}

    def of(self, sdk: str) -> Told:
        if sdk not in self.said:
            self.keys[sdk] = self.live.key(f"{sdk}-{token_hex(4)}")
            self.said[sdk] = json.loads(self.python(sdk) if sdk in PYTHON else self.javascript(sdk))
        return self.said[sdk]

    def python(self, sdk: str) -> str:
        interpreter = environments.python(sdk, self.config)
        return run([str(interpreter), str(PROGRAMS / "customers.py")], **self.variables(sdk))

    def javascript(self, sdk: str) -> str:
        packages = environments.node(sdk, self.config)
        return run(["node", str(PROGRAMS / "customers.cjs")], **self.variables(sdk), NODE_PATH=str(packages))

    def variables(self, sdk: str) -> dict[str, str]:
        return {"BASE_URL": self.proxy.url, "API_KEY": self.keys[sdk]}


@pytest.fixture(scope="module")
def programs(live: Live, proxy: Proxy, pytestconfig: pytest.Config) -> Programs:
    return Programs(live, proxy, pytestconfig)


@pytest.fixture(params=[PYTHON[0], pytest.param(PYTHON[1], marks=OLDER), *JAVASCRIPT])
def sdk(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def said(sdk: str, programs: Programs) -> Told:
    return programs.of(sdk)


@pytest.fixture(params=JAVASCRIPT)
def said_in_javascript(request: pytest.FixtureRequest, programs: Programs) -> Told:
    return programs.of(request.param)


def test_a_file_is_imported_and_polled_as_the_vendors_app_polls(said: Told) -> None:
    action = said["from_a_path"]
    assert action["id"] == action["started"]
    assert (action["type"], action["status"], action["progress"]) == ("CUSTOMERS.IMPORT_CSV", "DONE", 100)
    assert action["result"] == {
        "message": "2 customer(s) imported successfully, 0 failed.",
        "failed": [],
        "done_count": 2,
        "failed_count": 0,
    }


def test_a_file_is_imported_and_polled_as_the_vendors_tests_poll(said: Told) -> None:
    action = said["odd_names"]
    assert (action["status"], action["operation_status"]) == ("DONE", "SUCCESS")
    assert action["result"]["done_count"] == 4


def test_a_partly_bad_file_ends_done_and_lists_every_bad_row(said: Told) -> None:
    action = said["partly_bad"]
    assert (action["status"], action["operation_status"]) == ("DONE", "SUCCESS")
    assert (action["result"]["done_count"], action["result"]["failed_count"]) == (2, 3)
    assert [(each["row"], each["source_id"]) for each in action["result"]["failed"]] == [
        (2, "two"),
        (3, "three"),
        (4, "four"),
    ]
    reasons = [each["reason"] for each in action["result"]["failed"]]
    assert reasons[1] == "Invalid phone format"
    assert "email" in reasons[0]
    assert "birthdate" in reasons[2]


def test_an_imported_customer_is_read_by_its_source_id(said: Told) -> None:
    shown = said["customer"]
    assert {name: shown[name] for name in ("source_id", "name", "email", "phone", "birthdate", "description")} == {
        "source_id": "john",
        "name": "Jöhn Doe",
        "email": "john@example.org",
        "phone": "+48 123 456 789",
        "birthdate": "1990-03-11",
        "description": 'says "hi", often',
    }
    parts = {name: value for name, value in shown["address"].items() if value is not None}
    assert parts == {"line_1": "Main St 1", "city": "Łódź", "postal_code": "90-001", "country": "PL"}
    assert shown["metadata"] == {"level": "gold", "seats": "2"}


def test_a_customer_is_the_same_by_either_id(said: Told) -> None:
    assert said["customer_by_id"] == said["customer"]
    assert said["customer"]["id"].startswith("cust_")


def test_a_source_id_of_any_characters_finds_its_customer(said: Told) -> None:
    assert said["odd_customers"] == ["john+news@example.org", "shop/17/anna", "100% sure?", "Ägypten"]


def test_a_source_id_is_one_percent_encoded_segment(said: Told, proxy: Proxy) -> None:
    for encoded in ("john%2Bnews%40example.org", "shop%2F17%2Fanna", "100%25%20sure%3F", "%C3%84gypten"):
        assert f"GET /v1/customers/{encoded} -> 200 application/json" in proxy.passed


def test_customers_are_listed_page_after_page_and_filtered(said: Told) -> None:
    found = said["customer_list"]
    assert [(page["total"], page["has_more"]) for page in found["pages"]] == [(8, True), (8, True)]
    seen = [each["source_id"] for page in found["pages"] for each in page["customers"]]
    # Newest first; of one file the last row is the newest.
    assert seen == ["five", "one", "Ägypten", "100% sure?"]
    assert found["named"] == ["john"]
    assert (found["in_the_future"]["customers"], found["in_the_future"]["total"]) == ([], 0)


def test_actions_are_listed_up_to_a_time_in_the_sdks_own_spelling(said: Told) -> None:
    found = said["action_list"]
    every = [said[step]["id"] for step in ("partly_bad", "odd_names", "from_a_path")]
    assert [each["id"] for each in found["newest"]["async_actions"]] == every[:1]
    assert found["newest"].get("has_more", True)  # 5.0.3 is older than this field
    assert found["before_2020"]["async_actions"] == []
    assert [each["id"] for each in found["before_2200"]["async_actions"]] == every
    assert not any("result" in each for each in found["before_2200"]["async_actions"])


def test_a_bulk_update_changes_what_was_sent_and_nothing_else(said: Told) -> None:
    before, after = said["customer"], said["bulk"]["customer"]
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"name", "metadata", "updated_at"}
    assert after["name"] == "John the Second"
    assert after["metadata"] == {"level": "silver", "seats": "2", "points": 7}


def test_a_bulk_update_ends_done_and_names_the_bad_item(said: Told) -> None:
    action = said["bulk"]["action"]
    assert action["type"] == "CUSTOMERS.BULK_UPDATE"
    result = action["result"]
    assert (result["done_count"], result["failed_count"]) == (2, 1)
    assert [each["source_id"] for each in result["errors"]] == ["bad"]


def test_the_report_of_a_bulk_update_is_where_it_says(sdk: str, said: Told, programs: Programs) -> None:
    app_id, _, token = programs.keys[sdk].partition(":")
    [report] = said["bulk"]["action"]["result"]["reports"]
    got = httpx.get(report, headers={"X-App-Id": app_id, "X-App-Token": token})
    rows = [line.split(",")[:3] for line in got.text.splitlines()]
    assert rows == [
        ["source_id", "found", "updated"],
        ["john", "true", "true"],
        ["new", "false", "true"],
        ["bad", "false", "false"],
    ]


@pytest.mark.parametrize("sdk", PYTHON)
@pytest.mark.parametrize(
    ("call", "raised"),
    [
        ("wrong_key", "UnauthorizedException"),
        ("wrong_key_polls", "UnauthorizedException"),
        ("no_file", "BadRequestException"),
        ("empty_file", "BadRequestException"),
        ("unknown_action", "NotFoundException"),
        ("unknown_customer", "NotFoundException"),
    ],
)
def test_the_python_sdk_raises_its_own_exceptions(sdk: str, call: str, raised: str, programs: Programs) -> None:
    error = programs.of(sdk)["errors"][call]
    assert error["class"] == raised
    assert error["status"] == error["body"]["code"]
    assert error["body"]["request_id"].startswith("v-")


def test_an_error_says_what_is_wrong(said: Told) -> None:
    errors = {call: error.get("body", error) for call, error in said["errors"].items()}
    for call in ("wrong_key", "wrong_key_polls"):
        assert (errors[call]["code"], errors[call]["key"]) == (401, "unauthorized")
        assert errors[call]["message"] == "Unauthorized"
    assert (errors["empty_file"]["code"], errors["empty_file"]["key"]) == (400, "invalid_payload")
    assert errors["empty_file"]["message"] == "Invalid payload"


@pytest.mark.parametrize("sdk", PYTHON)
def test_a_request_without_a_file_is_refused_in_the_vendors_words(sdk: str, programs: Programs) -> None:
    body = programs.of(sdk)["errors"]["no_file"]["body"]
    assert body["key"] == "invalid_payload"
    assert body["details"] == "Payload should have required property 'file'"


def test_an_error_names_what_was_not_found(said: Told) -> None:
    errors = {call: error.get("body", error) for call, error in said["errors"].items()}
    names = ("code", "key", "message", "details", "resource_id", "resource_type")
    assert [errors["unknown_action"][name] for name in names] == [
        404,
        "not_found",
        "Resource not found",
        f"Cannot find async_action with id {UNKNOWN}",
        UNKNOWN,
        "async_action",
    ]
    assert [errors["unknown_customer"][name] for name in names] == [
        404,
        "not_found",
        "Resource not found",
        "Cannot find customer with id nobody@example.org",
        "nobody@example.org",
        "customer",
    ]


def test_the_javascript_sdk_reads_the_rate_limit(said_in_javascript: Told) -> None:
    left = said_in_javascript["rate_limit"]
    assert 0 < left["remaining"] < left["limit"]


@pytest.mark.parametrize("direction", ["down", "up"])
def test_scrolling_through_one_large_import_neither_skips_nor_repeats(said_in_javascript: Told, direction: str) -> None:
    seen = [each for each in said_in_javascript["scroll"][direction] if each.startswith("many-")]
    in_order = [f"many-{number}" for number in range(260)]
    assert seen == (in_order if direction == "up" else in_order[::-1])
