"""Reads that are large because of what an account has stored: they cost neither much memory nor the others' time."""

import json
import socket
from collections import Counter
from contextlib import ExitStack

import httpx
import pytest

from app.storage.records import PAGE_BYTES
from app.web.responses.downloads import MOST_DOWNLOADS
from tests.support.crowd import HOSTILE, ROOM, Crowd, Request, peak_memory, reset_peak
from tests.support.live import HOST

RECORDS = 1_000
RECORD_BYTES = 146_000
COUPONS = 100_000


def insert(type: str, count: int, data: str) -> str:
    """SQL that stores records of the hostile account, numbered by `n`."""
    at = "now() + n * interval '1 microsecond'"
    return (
        "INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_seq, run_row) "
        f"SELECT a.id, '{type}', lpad(n::text, 8, '0'), {data}, {at}, {at}, 1, n "
        f"FROM accounts a, generate_series(1, {count}) n WHERE a.name = '{HOSTILE}'"
    )


@pytest.fixture(scope="module")
def large_records(crowd: Crowd) -> None:
    text = f"repeat(md5(n::text), {RECORD_BYTES // 32})"
    crowd.sql(insert("catalog", RECORDS, f"jsonb_build_object('productName', {text})"))
    crowd.sql(insert("customers", 100, f"jsonb_build_object('name', {text})"))


@pytest.mark.usefixtures("large_records")
def test_a_page_of_large_records_ends_early_and_goes_on(crowd: Crowd) -> None:
    attack = crowd.attack([Request("/records/catalog?limit=1000")], at_once=20)
    assert attack.longest < PAGE_BYTES + 2 * RECORD_BYTES
    keys: list[str] = []
    path = f"{crowd.live.url}/records/catalog?limit=1000"
    while path:
        page = httpx.get(path, headers=crowd.headers, timeout=60).json()
        keys += [each["key"] for each in page["results"]]
        path = page["links"].get("next", "")
    assert keys == [f"{number:08}" for number in range(1, RECORDS + 1)]


@pytest.mark.usefixtures("large_records")
@pytest.mark.parametrize(
    "path", ["/records/catalog?limit=1000", "/v2/products?per_page=200&fields=productName", "/v1/customers?limit=100"]
)
def test_pages_that_nobody_reads_hold_little(crowd: Crowd, path: str) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: apiKey {crowd.hostile}\r\n\r\n"
    reset_peak(crowd.live)
    rest = crowd.live.memory
    with ExitStack() as opened:
        clients = [opened.enter_context(socket.create_connection((HOST, crowd.live.port))) for _ in range(30)]
        for client in clients:
            client.settimeout(30)
            client.sendall(head.encode())
        statuses = Counter(client.recv(12)[9:] for client in clients)
        grown = peak_memory(crowd.live) - rest
    assert statuses.keys() == {b"200", b"429"}
    # Not exactly MOST_DOWNLOADS: what the kernel has taken whole is under way no more.
    assert statuses[b"200"] <= 2 * MOST_DOWNLOADS
    assert grown < ROOM


@pytest.mark.slow
@pytest.mark.usefixtures("large_records")
@pytest.mark.parametrize(
    ("path", "count"), [("/v2/products?per_page=200&fields=productName", 200), ("/v1/customers?limit=100", 100)]
)
def test_a_vendors_list_of_large_records_is_whole_and_comes_in_pieces(crowd: Crowd, path: str, count: int) -> None:
    crowd.attack([Request(path)], at_once=4)
    listed = httpx.get(crowd.live.url + path, headers=crowd.headers, timeout=60).json()
    assert len(listed if isinstance(listed, list) else listed["customers"]) == count


@pytest.mark.slow
def test_coupons_are_counted_without_keeping_others_waiting(crowd: Crowd) -> None:
    made = httpx.put(f"{crowd.live.url}/coupon-sets/many", headers=crowd.headers, json={"name": "Many"})
    assert made.status_code == 201
    crowd.sql(insert("coupons", COUPONS, "jsonb_build_object('couponSetId', 'many')"))
    attack = crowd.attack([Request("/coupon-sets/many")], at_once=40)
    assert attack.statuses.keys() <= {200, 429}
    read = httpx.get(f"{crowd.live.url}/coupon-sets/many", headers=crowd.headers, timeout=60)
    assert read.json()["quantity"] == COUPONS


def declaration(fields: int, options: int) -> bytes:
    """A type with enums, of 7 bytes for each option."""
    listed = [{"id": "code", "type": "text"}]
    listed += [
        {"id": f"f{number}", "type": "enum", "options": [f"{each:04}" for each in range(options)]}  # type: ignore[dict-item]
        for number in range(fields)
    ]
    return json.dumps({"key": "code", "fields": listed}, separators=(",", ":")).encode()


@pytest.mark.slow
def test_types_are_bounded_one_by_one_and_together(crowd: Crowd) -> None:
    def put(name: str, body: bytes) -> httpx.Response:
        return httpx.put(f"{crowd.live.url}/types/{name}", headers=crowd.headers, content=body, timeout=60)

    assert put("huge", declaration(130, 1_000)).status_code == 422
    answers = [put(f"large{number}", declaration(74, 1_000)) for number in range(12)]
    accepted = [answer.status_code for answer in answers].count(201)
    assert 0 < accepted < 12
    assert {answer.status_code for answer in answers[accepted:]} == {422}
    assert "2,097,152" in answers[-1].json()["detail"]
    assert put("large0", declaration(73, 1_000)).status_code == 200  # what is there can be changed
    crowd.attack([Request("/types")], at_once=20)


@pytest.mark.slow
def test_a_large_type_can_be_put_again_and_again(crowd: Crowd) -> None:
    crowd.sql(f"DELETE FROM record_types t USING accounts a WHERE a.id = t.account_id AND a.name = '{HOSTILE}'")
    largest = declaration(74, 1_000)
    requests = [Request("/types/large", "PUT", largest), Request("/types/huge", "PUT", declaration(130, 1_000))]
    attack = crowd.attack(requests, at_once=10)
    assert attack.statuses.keys() <= {200, 201, 422, 429}
    crowd.sql(insert("large", 10, "'{}'"))
    crowd.attack([*requests, Request("/records/large"), Request("/records/large/00000001")], at_once=10)
