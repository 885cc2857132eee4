"""Bodies that are held open, or come a byte at a time, and answers that are read in the same way."""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from secrets import token_hex

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.errors import Refused
from app.web.bodies.arrival import HELD_BYTES, LEAST_SPEED, Pace
from app.web.responses.downloads import MOST_DOWNLOADS
from app.web.server.receiver import PIECE_BYTES
from tests.support.http import PARTS
from tests.support.live import HOST, Live
from tests.support.serving import serving

LITTLE = 30_000_000  # bytes of memory that an attack may cost
QUEUE_LIMIT = 10
MULTIPART = "multipart/form-data; boundary=frontier"
FILE = b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n_email\n'
ITEMS = b'[{"source_id": "a", "name": "'
BODIES = {
    "/imports": (MULTIPART, FILE, 400),
    "/v1/customers/importCSV": (MULTIPART, FILE, 429),
    "/v1/customers/bulk/async": ("application/json", ITEMS, 429),
    "/v1/customers/metadata/async": ("application/json", b'{"source_ids": ["', 429),
    "/v2/productimports": (MULTIPART, FILE, 429),
}


def begin(stack: ExitStack, live: Live, key: str, request_line: str, media_type: str, body: bytes) -> socket.socket:
    """A request of 10 MB, such as `POST /imports`, of which only the beginning is sent."""
    connection = stack.enter_context(socket.create_connection((HOST, live.port), timeout=10))
    head = f"{request_line} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: apiKey {key}\r\nContent-Type: {media_type}\r\n"
    connection.sendall(f"{head}Content-Length: 10000000\r\n\r\n".encode() + body)
    return connection


def answers(connections: list[socket.socket], expected: int) -> list[bytes]:
    """The beginnings of so many answers, as soon as they are there."""
    found: dict[socket.socket, bytes] = {}
    deadline = time.monotonic() + 10
    while len(found) < expected and time.monotonic() < deadline:
        for each in set(connections) - set(found):
            each.settimeout(0.01)
            with suppress(TimeoutError):
                found[each] = each.recv(65_536)
    return list(found.values())


@pytest.mark.parametrize(
    ("path", "media_type", "beginning", "status"),
    [
        pytest.param(path, *rest, marks=() if path in ("/imports", "/v1/customers/bulk/async") else pytest.mark.slow)
        for path, rest in BODIES.items()
    ],
)
def test_of_forty_uploads_of_one_account_ten_are_received(
    live: Live, path: str, media_type: str, beginning: bytes, status: int
) -> None:
    key, other = live.key(f"held-{token_hex(4)}"), live.key(f"other-{token_hex(4)}")
    before = live.memory
    with ExitStack() as stack:
        held = [begin(stack, live, key, f"POST {path}", media_type, beginning + b"a" * 500_000) for _ in range(40)]
        refused = answers(held, 40 - QUEUE_LIMIT)
        assert live.memory - before < LITTLE
        assert len(refused) == 40 - QUEUE_LIMIT
        for each in refused:
            assert each.startswith(b"HTTP/1.1 %d " % status), each
            assert b"retry-after: 10\r\n" in each.lower()
        listed = httpx.get(f"{live.url}/imports", headers={"Authorization": f"apiKey {other}"}, timeout=5)
        assert listed.status_code == 200
    accepted = eventually_accepted(live, key)
    assert accepted.status_code == 201, accepted.text


def eventually_accepted(live: Live, key: str) -> httpx.Response:
    """An upload once those that were broken off are forgotten."""
    deadline = time.monotonic() + 10
    while True:
        answer = httpx.post(
            f"{live.url}/imports",
            headers={"Authorization": f"apiKey {key}"},
            data=PARTS,
            files={"file": ("a.csv", b"_email\na@example.org\n")},
        )
        if answer.status_code == 201 or time.monotonic() > deadline:
            return answer
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("request_line", "media_type", "beginning"),
    [
        ("POST /imports", MULTIPART, FILE),
        ("POST /v1/customers/bulk/async", "application/json", ITEMS),
        pytest.param("POST /v2/products", "application/json", b'{"productID": "', marks=pytest.mark.slow),
        pytest.param("PUT /types/slow", "application/json", b'{"key": "', marks=pytest.mark.slow),
        ("POST /v1/oauth/token", "application/x-www-form-urlencoded", b"grant_type="),
    ],
)
def test_a_body_that_trickles_is_given_up(live: Live, request_line: str, media_type: str, beginning: bytes) -> None:
    """The service of these tests gives up after two seconds, in which each of these bytes is a sign of life."""
    key = live.key(f"slow-{token_hex(4)}")
    with ExitStack() as stack:
        connection = begin(stack, live, key, request_line, media_type, beginning)
        connection.settimeout(0.2)
        received, deadline = b"", time.monotonic() + 15
        while b"}" not in received and time.monotonic() < deadline:
            with suppress(ConnectionError):
                connection.sendall(b"" if received else b"a")
            with suppress(TimeoutError):
                received += connection.recv(65_536)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"fewer than 1,000 bytes a second" in received or "/v1" in request_line


def test_small_bodies_of_an_account_that_are_not_complete_are_bounded_together(live: Live) -> None:
    key, size = live.key(f"small-{token_hex(4)}"), 1_000_000
    before = live.memory
    with ExitStack() as stack:
        held = [
            begin(stack, live, key, f"PUT /types/t{number}", "application/json", b'{"key": "' + b"a" * size)
            for number in range(30)
        ]
        refused = answers(held, 30 - HELD_BYTES // size)
        assert live.memory - before < LITTLE
    assert len(refused) >= 30 - HELD_BYTES // size
    assert {each[:13] for each in refused} == {b"HTTP/1.1 429 "}


def paced(waits: list[tuple[float, int]], seconds: float = 60) -> Callable[[], None]:
    def count() -> None:
        pace = Pace(seconds)
        for waited, received in waits:
            pace.count(waited, received)

    return count


@pytest.mark.parametrize(
    "waits", [[(59, 1), (59, 1)], [(1, 1_000)] * 60 + [(1, 0)] * 60, [(30, 10_000_000), (30, 0), (60, 59_999)]]
)
def test_a_pace_below_a_thousand_bytes_a_second_is_refused(waits: list[tuple[float, int]]) -> None:
    with pytest.raises(Refused, match=f"fewer than {LEAST_SPEED:,} bytes a second for 60 seconds"):
        paced(waits)()


@pytest.mark.parametrize("waits", [[(59, 1)], [(60, 60_000)] * 10, [(0.0, 1)] * 1_000, [(1, 1_100)] * 300])
def test_a_pace_above_it_or_a_short_wait_is_not(waits: list[tuple[float, int]]) -> None:
    paced(waits)()


def test_downloads_that_nobody_reads_hold_little_and_no_connection_to_the_database(live: Live) -> None:
    headers = {"Authorization": f"apiKey {live.key(f'reader-{token_hex(4)}')}"}
    rows = b"_email,_name\n" + b"nobody,%s\n" % (b"a" * 500) * 15_000
    sent = httpx.post(f"{live.url}/imports", headers=headers, data=PARTS, files={"file": ("a.csv", rows)}, timeout=60)
    links, deadline = sent.json()["links"], time.monotonic() + 60
    while not httpx.get(links["self"], headers=headers).json()["done"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    before, connections = live.memory, []
    with ExitStack() as stack:
        path = links["failedRows"].removeprefix(live.url)
        for _ in range(2 * live.settings.database_pool):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.connect((HOST, live.port))
            fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n".encode())
            connections.append(connection)
        taken = sorted(connection.recv(12) for connection in connections)
        assert taken == [b"HTTP/1.1 200"] * MOST_DOWNLOADS + [b"HTTP/1.1 429"] * (len(taken) - MOST_DOWNLOADS)
        assert httpx.get(links["self"], headers=headers, timeout=5).status_code == 200
        assert live.memory - before < 2 * LITTLE


async def test_a_body_is_handed_on_in_pieces_that_many_uploads_may_hold() -> None:
    """uvloop would hand on up to 256,000 bytes; what has arrived meanwhile is added to a piece."""
    sizes = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["more_body"]:
            sizes.append(len(message["body"]))
            await asyncio.sleep(0)
        await Response()(scope, receive, send)

    async with serving(app) as port, httpx.AsyncClient() as client:
        assert (await client.post(f"http://127.0.0.1:{port}/", content=bytes(8_000_000))).status_code == 200
    assert max(sizes) <= 2 * PIECE_BYTES
    assert sum(sizes) >= 8_000_000 - 2 * PIECE_BYTES
