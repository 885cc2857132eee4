"""Clients that hold connections: idle ones make room, an address has its share, and a health check is answered."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path

import httpx
import psutil
import pytest
from starlette.types import Receive, Scope, Send

from app.embedded import Servers
from app.runtime import Runtime
from app.web.server.connections import ConnectionLimits, Connections, group_address
from app.web.server.protocol import ServerLimits
from tests.support.bodies import WRITES
from tests.support.http import Account, app_on
from tests.support.live import HOST, Live, running_live
from tests.support.servers import new_database, redis_number, settings_for
from tests.support.serving import serving

FILES = 64


@pytest.fixture(scope="module")
def poor(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A service whose API may open 64 files."""
    data: Path = tmp_path_factory.mktemp("poor")
    settings = settings_for(data, new_database(servers, "poor"), redis_number(servers, 11))
    with running_live(settings, files=FILES) as running:
        yield running


def hold(stack: ExitStack, port: int, count: int, said: bytes = b"") -> list[socket.socket]:
    held = [stack.enter_context(socket.create_connection((HOST, port), timeout=10)) for _ in range(count)]
    for each in held:
        each.sendall(said)
    return held


@pytest.mark.parametrize("said", [b"", b"GET /imports HTTP/1.1\r\n"], ids=["silent", "half a head"])
def test_seventy_idle_connections_shut_nobody_out(poor: Live, said: bytes) -> None:
    headers = {"Authorization": f"apiKey {poor.key('poor')}"}
    with ExitStack() as stack:
        hold(stack, poor.port, 70, said)
        for path in ("/healthz", "/readyz", "/imports"):
            assert httpx.get(poor.url + path, headers=headers, timeout=5).status_code == 200, path
    assert psutil.Process(poor.api.pid).num_fds() < FILES


def test_uploads_held_open_leave_room_for_others(poor: Live) -> None:
    """Their connections are not idle, but no account and no address gets all of them."""
    head = f"POST /imports HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    with ExitStack() as stack:
        for number in range(3):
            key = poor.key(f"holder-{number}")
            said = f"{head}Authorization: apiKey {key}\r\nContent-Length: 1000000\r\n\r\n".encode()
            hold(stack, poor.port, 23, said)
        headers = {"Authorization": f"apiKey {poor.key('poor')}"}
        assert httpx.get(f"{poor.url}/healthz", timeout=5).status_code == 200
        transport = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(transport=transport, timeout=5) as elsewhere:
            answer = elsewhere.get(f"{poor.url}/imports", headers=headers)
            assert answer.status_code == 200, answer.text


def test_a_process_without_files_recovers(live: Live) -> None:
    process = psutil.Process(live.api.pid)
    before = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (4, before[1]))
    try:
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{live.url}/healthz", timeout=2)
    finally:
        process.rlimit(psutil.RLIMIT_NOFILE, before)
    assert httpx.get(f"{live.url}/healthz", timeout=5).status_code == 200
    assert live.api.poll() is None


class Waiting:
    """An app that answers `/wait` only when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/wait":
            self.waiting += 1
            await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def status_of(port: int, path: str, address: str = HOST) -> int:
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(transport=transport, timeout=5) as client:
        return (await client.get(f"http://{HOST}:{port}{path}")).status_code


async def ask_and_wait(app: Waiting, port: int, count: int, address: str = HOST) -> list[asyncio.Task[int]]:
    """Requests that are not answered before `app.go`."""
    before = app.waiting
    tasks = [asyncio.create_task(status_of(port, "/wait", address)) for _ in range(count)]
    async with asyncio.timeout(5):
        while app.waiting < before + count:
            await asyncio.sleep(0.01)
    return tasks


async def test_a_health_check_is_answered_when_every_connection_is_at_work() -> None:
    app = Waiting()
    async with serving(app, connections=Connections(ConnectionLimits(4, 4))) as port:
        tasks = await ask_and_wait(app, port, 4)
        assert await status_of(port, "/healthz?from=monitor") == 200
        assert await status_of(port, "/imports") == 503
        app.go.set()
        assert await asyncio.gather(*tasks) == [200] * 4
        assert await status_of(port, "/imports") == 200


async def test_a_connection_that_was_there_before_goes_on_when_there_are_too_many() -> None:
    app = Waiting()
    async with serving(app, connections=Connections(ConnectionLimits(2, 2))) as port:
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=5) as kept:
            waiting = asyncio.create_task(kept.get("/wait"))
            tasks = await ask_and_wait(app, port, 1)
            spare = await asyncio.open_connection(HOST, port)
            app.go.set()
            assert (await waiting).status_code == 200
            assert (await kept.get("/imports")).status_code == 200
            assert await asyncio.gather(*tasks) == [200]
        spare[1].close()


async def test_requests_that_show_no_key_are_cut_off_to_make_room() -> None:
    app, limits = Waiting(), ServerLimits(anonymous_seconds=0.1)
    async with serving(app, limits, Connections(ConnectionLimits(2, 2))) as port:
        tasks = await ask_and_wait(app, port, 2)
        await asyncio.sleep(0.2)
        assert await status_of(port, "/imports") == 200
        app.go.set()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(type(each).__name__ for each in ended) in (["RemoteProtocolError", "int"], ["ReadError", "int"])


async def test_an_upload_that_shows_a_key_is_not_cut_off(runtime: Runtime, an_account: Account) -> None:
    """The server finds who called where the routes have put it."""
    limits, media_type, whole = ServerLimits(anonymous_seconds=0.05), *WRITES["POST /imports"]

    async def body() -> AsyncIterator[bytes]:
        yield whole[:200]
        await asyncio.sleep(0.3)
        refused.append(await status_of(port, "/imports"))
        yield whole[200:]

    refused: list[int] = []
    headers = an_account.headers | {"Content-Type": media_type}
    connections = Connections(ConnectionLimits(1, 1))
    async with serving(app_on(runtime), limits, connections) as port, httpx.AsyncClient(timeout=10) as client:
        sent = await client.post(f"http://{HOST}:{port}/imports", headers=headers, content=body())
        assert sent.status_code == 201
    assert refused == [503]


async def test_no_address_has_more_than_its_share() -> None:
    app = Waiting()
    async with serving(app, connections=Connections(ConnectionLimits(4, 2))) as port:
        tasks = await ask_and_wait(app, port, 2, "127.0.0.2")
        assert await status_of(port, "/imports", "127.0.0.2") == 503
        assert await status_of(port, "/imports", "127.0.0.3") == 200
        app.go.set()
        assert await asyncio.gather(*tasks) == [200, 200]


async def test_a_trusted_proxy_speaks_for_many() -> None:
    app, proxies = Waiting(), [ip_network("127.0.0.2/32")]
    async with serving(app, connections=Connections(ConnectionLimits(4, 2), proxies)) as port:
        tasks = await ask_and_wait(app, port, 3, "127.0.0.2")
        assert await status_of(port, "/imports", "127.0.0.2") == 200
        app.go.set()
        assert await asyncio.gather(*tasks) == [200] * 3


async def test_room_is_made_by_the_address_that_has_most() -> None:
    async with serving(Waiting(), connections=Connections(ConnectionLimits(4, 4))) as port:
        single = await asyncio.open_connection(HOST, port, local_addr=("127.0.0.2", 0))
        several = [await asyncio.open_connection(HOST, port, local_addr=("127.0.0.3", 0)) for _ in range(4)]
        assert await asyncio.wait_for(several[0][0].read(), 5) == b""  # the one that was idle longest
        for _, writer in (single, *several[1:]):
            writer.write(b"GET / HTTP/1.1\r\nHost: sluice.test\r\n\r\n")
        for reader, _ in (single, *several[1:]):
            assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 200 ")
        for _, writer in (single, *several):
            writer.close()


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),  # as many proxies write it
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("", ""),
        ("socket", "socket"),
    ],
)
def test_addresses_of_one_machine_are_counted_as_one(host: str, counted: str) -> None:
    assert group_address(host) == counted
