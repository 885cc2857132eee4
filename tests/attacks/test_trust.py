"""Who is believed, and for how long: revoked keys, forged addresses, other hosts' certificates, a queue that lies."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import trustme
from redis.exceptions import ConnectionError as RedisConnectionError

from app.auth.keys import revoke_key
from app.embedded import Servers
from app.main import create_app
from app.observe.logs import configure
from app.queue.server import AddressRefused
from app.queue.task_queue import TaskQueue, open_client
from app.runtime import Misconfigured, Runtime, check_settings
from tests.conftest import NewAccount
from tests.support.http import CONTACTS, PARTS, Account, app_on, client_of, stored_files

BOUNDARY = "frontier"


def form_pieces() -> list[bytes]:
    """A form in two pieces: the second has the file's last bytes."""
    parts = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in PARTS.items()
    )
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'.encode()
    return [parts + head + CONTACTS[:30], CONTACTS[30:] + f"\r\n--{BOUNDARY}--\r\n".encode()]


async def revoke(runtime: Runtime, account: Account) -> None:
    async with runtime.database.transaction() as session:
        assert await revoke_key(session, account.key.partition(":")[0])


async def test_an_upload_whose_key_is_revoked_meanwhile_is_refused(
    client: httpx.AsyncClient, runtime: Runtime, a_key: NewAccount
) -> None:
    account = await a_key()
    before = stored_files(runtime)

    async def body() -> AsyncIterator[bytes]:
        first, second = form_pieces()
        yield first
        await revoke(runtime, account)
        yield second

    headers = account.headers | {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = await client.post("/imports", headers=headers, content=body())
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert "revoked" in answer.json()["detail"]
    assert stored_files(runtime) == before
    other = await a_key(name=account.name)
    assert (await client.get("/imports", headers=other.headers)).json()["results"] == []


async def test_a_product_whose_key_is_revoked_meanwhile_is_refused(
    client: httpx.AsyncClient, runtime: Runtime, a_key: NewAccount
) -> None:
    account = await a_key()

    async def body() -> AsyncIterator[bytes]:
        yield b'{"productID": "P-1", '
        await revoke(runtime, account)
        yield b'"productName": "Lamp"}'

    headers = account.headers | {"Content-Type": "application/json"}
    answer = await client.post("/v2/products", headers=headers, content=body())
    assert answer.status_code == 401
    other = await a_key(name=account.name)
    assert (await client.get("/v2/products/P-1", headers=other.headers)).status_code == 404


@pytest.mark.parametrize(
    ("trusted", "believed"),
    [("", False), ("10.0.0.0/8", False), ("127.0.0.1", True), ("10.0.0.5, 127.0.0.0/8", True), ("::1", False)],
)
async def test_only_a_trusted_proxy_names_the_caller(
    runtime: Runtime, logged: pytest.CaptureFixture[str], trusted: str, believed: bool
) -> None:
    configure("info")
    app = create_app(runtime.settings.model_copy(update={"trusted_proxies": trusted}))
    app.state.runtime = runtime
    headers = {"X-Forwarded-For": "203.0.113.7", "Authorization": "apiKey sluice_0:no"}
    async with client_of(app) as client:
        assert (await client.get("/imports", headers=headers)).status_code == 401
    assert ("203.0.113.7" in logged.readouterr().err) is believed


@pytest.mark.parametrize("trusted", ["proxy", "10.0.0.1/8", "*"])
def test_proxies_that_are_no_networks_are_refused_by_name(runtime: Runtime, trusted: str) -> None:
    with pytest.raises(Misconfigured, match="SLUICE_TRUSTED_PROXIES must be networks"):
        check_settings(runtime.settings.model_copy(update={"trusted_proxies": trusted}))


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [("maxmemory", "1", "its memory is full"), ("min-replicas-to-write", "1", "fewer replicas")],
)
async def test_a_queue_that_refuses_writes_is_named(runtime: Runtime, setting: str, value: str, reason: str) -> None:
    redis = runtime.queue._redis
    await runtime.queue.remove_worker("test")
    await redis.config_set(setting, value)
    try:
        async with client_of(app_on(runtime)) as client:
            ready = await client.get("/readyz")
    finally:
        await redis.config_set(setting, "0")
    parts = ready.json()["parts"]
    assert ready.status_code == 503
    assert parts["redis"]["why"].startswith("Redis refuses writes: ")
    assert reason in parts["redis"]["why"]
    assert parts["worker"]["why"] == "Unknown: workers report to Redis, which refuses writes"
    async with client_of(app_on(runtime)) as client:
        assert (await client.get("/readyz")).json()["parts"]["redis"]["ok"]


@asynccontextmanager
async def tls_in_front_of(redis_url: str, certificate: trustme.LeafCert) -> AsyncIterator[str]:
    """The address of a server that takes TLS off and passes everything on to Redis."""
    parts = urlsplit(redis_url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    pumps: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection(parts.hostname, parts.port)
        pumps.update({asyncio.create_task(pump(reader, behind[1])), asyncio.create_task(pump(behind[0], writer))})

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        port = server.sockets[0].getsockname()[1]
        yield parts._replace(scheme="rediss", netloc=f":{parts.password}@127.0.0.1:{port}").geturl()
    finally:
        server.close()
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


@pytest.fixture
def authority(tmp_path: Path) -> tuple[trustme.CA, Path]:
    made, file = trustme.CA(), tmp_path / "ca.pem"
    made.cert_pem.write_to_path(str(file))
    return made, file


async def test_redis_with_a_private_authority_works(servers: Servers, authority: tuple[trustme.CA, Path]) -> None:
    made, ca_file = authority
    async with tls_in_front_of(servers.redis_url, made.issue_cert("127.0.0.1")) as url:
        queue = await TaskQueue.open(url, ca_file)
        await queue.check_writes()
        await queue.close()


@pytest.mark.parametrize(
    ("host", "known", "until", "told"),
    [
        ("redis.example.org", True, None, "is for another host. Correct the host in SLUICE_REDIS_URL, or"),
        ("127.0.0.1", False, None, "is of an unknown authority. Set SLUICE_CA_FILE to a PEM file of that authority"),
        ("127.0.0.1", True, datetime(2020, 1, 2, tzinfo=UTC), "has expired. Renew it"),
    ],
)
async def test_a_redis_with_a_wrong_certificate_is_not_spoken_to(
    servers: Servers,
    authority: tuple[trustme.CA, Path],
    host: str,
    known: bool,
    until: datetime | None,
    told: str,
) -> None:
    made, ca_file = authority
    certificate = made.issue_cert(host, not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=until)
    async with tls_in_front_of(servers.redis_url, certificate) as url:
        with pytest.raises(AddressRefused, match=f"The certificate of Redis at 127.0.0.1:[0-9]+ {told}"):
            await TaskQueue.open(url, ca_file if known else None)
        of_a_worker = open_client(url, ca_file if known else None)
        with pytest.raises(RedisConnectionError):
            await of_a_worker.ping()
        await of_a_worker.aclose()


@pytest.mark.parametrize(
    ("host", "known", "told"),
    [
        ("redis.example.org", True, "The certificates of the sentinels"),
        ("127.0.0.1", False, "The certificates of the sentinels"),
        ("127.0.0.1", True, "All that answer of the sentinels"),  # which is said behind the handshake
    ],
)
async def test_sentinels_with_a_wrong_certificate_are_not_spoken_to(
    servers: Servers, authority: tuple[trustme.CA, Path], host: str, known: bool, told: str
) -> None:
    made, ca_file = authority
    async with tls_in_front_of(servers.redis_url, made.issue_cert(host)) as url:
        place = urlsplit(url).netloc.rpartition("@")[2]
        with pytest.raises(AddressRefused, match=f"{told} {place} "):
            await TaskQueue.open(f"rediss+sentinel://{place}/night", ca_file if known else None)
