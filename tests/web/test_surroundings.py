"""What surrounds every request: HEAD, slashes at the end, headers, traces of wrong keys, and what is no HTTP at all."""

import json
import re
import socket
from base64 import b64encode
from hashlib import sha256

import httpx
import pytest

from app.runtime import Runtime
from tests.conftest import NewAccount
from tests.support.http import Account, app_on, client_of, post
from tests.support.live import HOST, Live

WRONG = "sluice_0123456789abcdef:veryWrong"


def said(live: Live, request: bytes) -> tuple[bytes, bytes]:
    """Head and body of all that comes back for these bytes."""
    with socket.create_connection((HOST, live.port), timeout=30) as connection:
        connection.sendall(request)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize(
    "request_",
    [
        b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"PUT /types/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_refused_in_json(live: Live, request_: bytes) -> None:
    head, body = said(live, request_)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/json" in head
    told = json.loads(body)
    assert (told["status"], told["code"], told["type"]) == (400, "bad_request", "urn:sluice:problem:bad_request")


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "GET"])
def test_a_target_without_a_slash_is_not_found(live: Live, method: str) -> None:
    head, body = said(live, f"{method} * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert head.startswith(b"HTTP/1.1 404 "), head
    assert b"application/problem+json" in head
    assert (body == b"") == (method == "HEAD")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/openapi.json", "/metrics"])
def test_head_has_the_headers_of_get_and_no_body(live: Live, path: str) -> None:
    head, body = said(live, f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    got = httpx.get(live.url + path)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert f"content-type: {got.headers['content-type']}".encode() in head
    assert body == b""


async def test_head_is_answered_where_get_is(client: httpx.AsyncClient, an_account: Account) -> None:
    run = (await post(client, an_account, b"_email\nnonsense\n")).json()
    own = f"/imports/{run['id']}"
    for path in (own, f"{own}/problems", f"{own}/failed-rows.csv", "/types/contacts/sample.csv"):
        answer = await client.head(path, headers=an_account.headers)
        assert (answer.status_code, answer.content) == (200, b""), path
    assert (await client.head(f"{own}/nothing")).status_code == 404


async def test_a_slash_at_the_end_changes_nothing(client: httpx.AsyncClient, an_account: Account) -> None:
    headers = an_account.headers
    own = f"/imports/{(await post(client, an_account)).json()['id']}"
    body = {"key": "a", "fields": [{"id": "a", "type": "text"}]}
    assert (await client.put("/types/things/", headers=headers, json=body)).status_code == 201
    assert (await client.put("/coupon-sets/summer/", headers=headers, json={})).status_code == 201
    for path in ("/types/things", "/types/things/sample.csv", "/coupon-sets/summer", f"{own}/problems"):
        with_slash = await client.get(f"{path}/", headers=headers)
        assert (with_slash.status_code, with_slash.text) == (200, (await client.get(path, headers=headers)).text), path
    assert (await client.get(f"{own}/failed-rows.csv/", headers=headers)).status_code == 200


async def test_a_wrong_key_leaves_a_trace_without_the_key(
    runtime: Runtime, a_key: NewAccount, logged: pytest.CaptureFixture[str]
) -> None:
    narrow = await a_key(["types:read"])
    # An app of its own: it logs to the stderr that there was when it was made.
    async with client_of(app_on(runtime)) as client:
        given = [{"Authorization": f"apiKey {WRONG}"}, narrow.headers]
        answers = [await client.get("/imports", headers=headers) for headers in given]
    lines = [json.loads(line) for line in logged.readouterr().err.splitlines() if "request_denied" in line]
    assert [(each["status"], each["level"], each["request_id"]) for each in lines] == [
        (answer.status_code, "info", answer.headers["x-request-id"]) for answer in answers
    ]
    assert [answer.status_code for answer in answers] == [401, 403]
    assert "veryWrong" not in str(lines)
    assert narrow.key not in str(lines)


@pytest.mark.parametrize("part", ["type", "couponSetId", "encoding", "delimiter"])
async def test_a_long_value_is_not_repeated_whole(client: httpx.AsyncClient, an_account: Account, part: str) -> None:
    parts: dict[str, str | None] = {"type": "coupons", "couponSetId": "x", part: "v" * 5_000}
    refused = await post(client, an_account, parts=parts)
    assert refused.status_code == 422
    assert part in [each["path"] for each in refused.json()["errors"]]
    assert "v" * 101 not in refused.text


async def test_the_page_may_run_its_own_script_and_nothing_else(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    rules = dict(rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; "))
    [script] = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    assert rules["script-src"] == f"'self' 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
    assert rules["default-src"] == "'none'"
    for path in ("/docs", "/docs/swagger-ui.css", "/healthz", "/nothing"):
        assert (await client.get(path)).headers.get_list("x-content-type-options") == ["nosniff"]
