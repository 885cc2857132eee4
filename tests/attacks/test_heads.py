"""Heads of requests that are too long, too many, too slow or without end, from clients without a key."""

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.web.server.protocol import ServerLimits
from tests.support.live import HOST, Live
from tests.support.serving import serving

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: sluice.test\r\n"
LITTLE = 30_000_000  # bytes of memory that an attack may cost
SHORT = ServerLimits(head_seconds=0.3, keep_alive_seconds=30, write_seconds=0.3, write_bytes=1_000, linger_seconds=0.2)


def answer_to(live: Live, pieces: Iterator[bytes]) -> bytes:
    """What the API answers until it closes the connection. It may stop reading before all is sent."""
    with socket.create_connection((HOST, live.port), timeout=20) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except (ConnectionError, TimeoutError):
            pass
        received = b""
        try:
            while piece := connection.recv(65_536):
                received += piece
        except ConnectionError:
            pass
        return received


def one_long_header() -> Iterator[bytes]:
    yield REQUEST + b"X-Long: "
    for _ in range(60):
        yield b"a" * 1_000_000


def many_headers(count: int, size: int) -> Iterator[bytes]:
    yield REQUEST
    yield b"".join(b"X-%d: %s\r\n" % (number, b"a" * size) for number in range(count))
    yield b"\r\n"


def long_path() -> Iterator[bytes]:
    yield b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: sluice.test\r\n\r\n"


def path_without_end() -> Iterator[bytes]:
    yield b"GET /"
    for _ in range(200):
        yield b"a" * 100_000


def blank_lines() -> Iterator[bytes]:
    for _ in range(200):
        yield b"\r\n" * 50_000


def trickle() -> Iterator[bytes]:
    yield REQUEST + b"X-Long: "
    for _ in range(400):
        yield b"a" * 100
        time.sleep(0.001)


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        (one_long_header, 431),
        (lambda: many_headers(100, 1_000), 431),
        (lambda: many_headers(201, 1), 431),
        (trickle, 431),
        (blank_lines, 431),
        (long_path, 414),
        (path_without_end, 414),
    ],
    ids=["one", "long", "many", "trickle", "blank lines", "path", "path without end"],
)
def test_a_head_that_is_too_long_is_refused_before_it_is_kept(live: Live, pieces: object, status: int) -> None:
    before = live.memory
    received = answer_to(live, pieces())  # type: ignore[operator]
    assert received.startswith(b"HTTP/1.1 %d " % status), received[:100]
    assert b'"too_large"' in received
    assert live.memory - before < LITTLE


def test_a_head_below_the_limit_is_read(live: Live) -> None:
    head = REQUEST + b"X-Long: " + b"a" * 30_000 + b"\r\nConnection: close\r\n\r\n"
    assert answer_to(live, iter([head[:20_000], head[20_000:]])).startswith(b"HTTP/1.1 200 ")


def test_trailers_are_bounded_as_headers_are_and_are_none(live: Live) -> None:
    key = live.key("trailers")
    start = (
        b"POST /v2/products HTTP/1.1\r\nHost: sluice.test\r\nAuthorization: apiKey %s\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" % key.encode()
    )

    def pieces() -> Iterator[bytes]:
        yield start + b"X-Long: "
        for _ in range(60):
            yield b"a" * 1_000_000

    before = live.memory
    answer_to(live, pieces())
    assert live.memory - before < LITTLE
    last = REQUEST + b"Connection: close\r\n\r\n"
    received = answer_to(live, iter([start + b"Authorization: none\r\n\r\n" + last]))
    assert received.startswith(b"HTTP/1.1 422 "), received[:200]


def test_requests_that_wait_for_the_one_before_are_few(live: Live) -> None:
    before = live.memory
    received = answer_to(live, iter([(REQUEST + b"\r\n") * 20_000]))
    assert 0 < received.count(b"HTTP/1.1 200 OK") < 1_000
    assert live.memory - before < LITTLE


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers `/long` with 50 MB, and everything else with a word."""
    pieces = 800 if scope["path"] == "/long" else 0
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"keep-alive")]})
    for _ in range(pieces):
        await send(piece(b"x" * 65_536, more=True))
    await send(piece(b"hello", more=False))


def piece(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def test_a_head_that_is_not_complete_in_time_is_answered_408() -> None:
    async with serving(hello, SHORT) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        received = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert received.startswith(b"HTTP/1.1 408 ")


async def test_a_later_head_has_no_more_time_than_the_first() -> None:
    async with serving(hello, SHORT) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST + b"\r\n")
        assert b"hello" in await asyncio.wait_for(reader.readuntil(b"hello"), 5)
        await asyncio.sleep(0.4)  # an idle connection is kept for longer than a head may take
        writer.write(b"G")
        received = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert b"HTTP/1.1 408 " in received


async def test_a_connection_on_which_nothing_is_said_is_closed_without_a_word() -> None:
    async with serving(hello, SHORT) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_an_answer_that_nobody_reads_is_given_up() -> None:
    async with serving(hello, SHORT) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000)
        writer.write(b"GET /long HTTP/1.1\r\nHost: sluice.test\r\n\r\n")
        await asyncio.sleep(1)  # three times what an answer may wait
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(50_000_000), 5)
        writer.close()


async def test_an_answer_that_is_read_slowly_is_sent_to_its_end() -> None:
    async with serving(hello, SHORT) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=200_000)
        writer.write(b"GET /long HTTP/1.1\r\nHost: sluice.test\r\nConnection: close\r\n\r\n")
        received = 0
        while part := await asyncio.wait_for(reader.read(1_000_000), 5):
            received += len(part)
            await asyncio.sleep(0.01)
        writer.close()
    assert received > 50_000_000


OFFERS = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the method and the body, on one line."""
    body, more = scope["method"].encode() + b" ", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = [(b"content-length", b"%d" % (len(body) + 1))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send(piece(body + b"\n", more=False))


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_request_that_offers_another_protocol_is_served_with_its_body(at_once: bool) -> None:
    """Java's HTTP client and curl's --http2 offer HTTP/2 with the first request of a connection."""
    head = b" / HTTP/1.1\r\nHost: sluice.test\r\n" + OFFERS
    requests = {
        b"POST one": [b"POST" + head + b"Content-Length: 3\r\n\r\n", b"one"],
        b"POST two": [b"POST" + head + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\ntwo\r\n0\r\n\r\n"],
        b"POST ": [b"POST" + head + b"Content-Length: 0\r\n\r\n"],
        b"GET ": [b"GET" + head + b"\r\n"],
        b"PUT GET /": [b"PUT / HTTP/1.1\r\nHost: sluice.test\r\nContent-Length: 5\r\n\r\n", b"GET /"],
    }
    async with serving(echo, SHORT) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for expected, pieces in requests.items():
            for part in [b"".join(pieces)] if at_once else pieces:
                writer.write(part)
                await asyncio.sleep(0.05)  # so that the parts arrive one by one
            answer = await asyncio.wait_for(read_answer(reader), 5)
            assert answer == expected
        writer.write(b"".join(b"".join(pieces) for pieces in requests.values()))
        for expected in requests:
            assert await asyncio.wait_for(read_answer(reader), 5) == expected
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """The body of the next answer, without its line end."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    return (await reader.readuntil(b"\n")).removesuffix(b"\n")
