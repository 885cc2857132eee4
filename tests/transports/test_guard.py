"""No internal address is ever called, however it is written, whoever asks for it, over any protocol."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from pydantic import SecretStr

from app.transports import TRANSPORTS, connect
from app.transports.failed import TransportFailed
from app.transports.fetch import fetch
from app.transports.guard import Guard, effective_addresses
from app.transports.http import parse_remote_url
from app.transports.s3.client import open_session, shared_session
from app.transports.transport import FileInfo, Remote, TransferPolicy
from app.transports.url import OWN_PORTS, parse_server_url, validate_port
from tests.transports.servers.http import HttpServer, http_server
from tests.transports.servers.server import PASSWORD, USER, Certificates

MakePolicy = Callable[..., TransferPolicy]
UNRESOLVED = "unknown, or its address is one that this service is not allowed to call"

# Ways to write an address inside. RELIABILITY §9.1, and what the system's own look-up makes of odd spellings.
INSIDE = [
    "127.0.0.1", "127.0.0.2", "127.255.255.254", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1",
    "0177.0.0.1", "017700000001", "0x7f.0x0.0x0.0x1", "①②⑦.⓪.⓪.①", "１２７.0.0.1", "127。0。0。1", "0",
    "0.0.0.0", "0.1.2.3", "localhost", "localhost.", "LOCALHOST", "10.0.0.1", "10.255.255.255",
    "172.16.0.1", "172.31.255.254", "192.168.0.1", "3232235521",
    "169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.254.170.2", "100.64.0.1",
    "100.100.100.200", "100.127.255.254", "168.63.129.16", "192.0.0.1", "192.0.0.170", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "198.18.0.1", "198.19.255.254", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255", "::1", "::", "0:0:0:0:0:0:0:1", "::127.0.0.1", "::169.254.169.254",
    "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "64:ff9b:1::808:808", "2002:7f00:1::",
    "2002:a9fe:a9fe::1", "2002:808:808::1", "2001:0:7f00:1::", "2001::1", "2001:db8::1", "3fff::1", "fc00::1",
    "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1", "100::1", "4000::1", "5f00::1",
]  # fmt: skip
OUTSIDE = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1",
    "192.167.255.255", "198.17.255.255", "198.20.0.1", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001::1",
    "::ffff:8.8.8.8", "64:ff9b::808:808",
]  # fmt: skip
NO_NAMES = ["", " ", "a b", "a\r\nb", "a\x00b", ".", "..", "x" * 300, f"{'x' * 64}.example", "[::1]", "a/b"]

audited: list[list[Any]] = []


def hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and audited:
        audited[-1].append(arguments[1])


sys.addaudithook(hear)  # cannot be taken away again, so it is deaf outside of the fixture


@pytest.fixture
def dialled() -> Iterator[list[Any]]:
    """Every address that this process connects to, as the interpreter tells it."""
    audited.append([])
    yield audited[-1]
    audited.pop()


@dataclass
class Canary:
    """A listener that nobody may ever reach."""

    port: int = 0
    callers: list[Any] = field(default_factory=list)

    def called(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.callers.append(writer.get_extra_info("peername"))
        writer.close()


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    """On every local address, of both families where there are two."""
    bird = Canary()
    listening = await asyncio.start_server(bird.called, "0.0.0.0", 0)
    bird.port = listening.sockets[0].getsockname()[1]
    yield bird
    listening.close()
    assert bird.callers == []


class Names:
    """A look-up whose answers are given, one after the other; the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.hosts: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.hosts.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def remote_of(scheme: str, host: str, port: int) -> Remote:
    """A place of any protocol, complete but for being allowed."""
    options: dict[str, Any] = {}
    if scheme == "s3":
        named = f"[{host}]" if ":" in host else host
        keys = {"access_key": SecretStr("x"), "secret_key": SecretStr("x")}
        options = {"bucket": "files", "endpoint": f"https://{named}:{port}", **keys}
    if scheme == "sftp":
        options = {"host_key": "trust-on-first-use"}
    return Remote(scheme, host, port, user=USER, password=SecretStr(PASSWORD), options=options)


async def visit(remote: Remote, policy: TransferPolicy) -> None:
    async with connect(remote, policy) as transport:
        await transport.stat("file.csv")


@pytest.mark.parametrize("host", INSIDE)
async def test_an_address_inside_is_refused(host: str, dialled: list[Any]) -> None:
    with pytest.raises(TransportFailed, match=UNRESOLVED) as failed:
        await Guard().resolve(host, 443)
    assert (failed.value.step, failed.value.transient) == ("resolve", False)
    assert dialled == []


@pytest.mark.parametrize("address", OUTSIDE)
async def test_an_address_outside_is_allowed(address: str) -> None:
    assert await Guard().resolve(address, 443) == [ip_address(address)]


@pytest.mark.parametrize("name", NO_NAMES)
async def test_an_impossible_name_is_refused(name: str) -> None:
    with pytest.raises(TransportFailed) as failed:
        await Guard().resolve(name, 443)
    assert failed.value.step in {"address", "resolve"}
    assert not failed.value.transient


@pytest.mark.parametrize("scheme", sorted(TRANSPORTS))
async def test_no_protocol_dials_an_address_inside(
    scheme: str, canary: Canary, dialled: list[Any], patient: MakePolicy
) -> None:
    for host in INSIDE:
        with pytest.raises(TransportFailed) as failed:
            await visit(remote_of(scheme, host, canary.port), patient(guard=Guard()))
        assert failed.value.step in {"address", "resolve"}, host
    assert dialled == []


@pytest.mark.parametrize("scheme", sorted(TRANSPORTS))
@pytest.mark.parametrize(
    "answers",
    [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["2606:4700::1", "::ffff:127.0.0.1"], []],
)
async def test_a_name_with_one_address_inside_is_refused(
    scheme: str, answers: list[str], canary: Canary, dialled: list[Any], patient: MakePolicy
) -> None:
    guard = Guard(lookup=Names(answers))
    with pytest.raises(TransportFailed, match=UNRESOLVED):
        await visit(remote_of(scheme, "files.example", canary.port), patient(guard=guard))
    assert dialled == []


@pytest.mark.parametrize("scheme", sorted(TRANSPORTS))
async def test_a_name_whose_address_changes_to_one_inside_is_not_followed(
    scheme: str, canary: Canary, dialled: list[Any], patient: MakePolicy
) -> None:
    """It is harmless when it is checked and means 127.0.0.2, where the canary sits, whenever it is asked again."""
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    guard = Guard((ip_network("127.0.0.1/32"),), names)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens: the first try fails as well, but at the right door
        for _ in range(2):
            with pytest.raises(TransportFailed):
                await visit(remote_of(scheme, "files.example", closed.getsockname()[1]), patient(guard=guard, tries=1))
    assert {address[0] for address in dialled} <= {"127.0.0.1"}
    with pytest.raises(TransportFailed, match=UNRESOLVED):
        await visit(remote_of(scheme, "files.example", canary.port), patient(guard=guard))


async def test_the_peer_is_checked_once_more_after_connecting() -> None:
    """A guard that changes its mind in between stands for a system that connects elsewhere than it was told."""

    class Changing(Guard):
        __slots__ = ("asked",)

        def permits(self, address: Any) -> bool:
            asked.append(address)
            return len(asked) == 1

    asked: list[Any] = []
    listening = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    with pytest.raises(TransportFailed, match=UNRESOLVED):
        await Changing().dial("127.0.0.1", listening.sockets[0].getsockname()[1], 5)
    assert asked == [ip_address("127.0.0.1")] * 2
    listening.close()


def test_embedded_addresses_are_checked() -> None:
    def seen(address: str) -> set[str]:
        return {str(each) for each in effective_addresses(ip_address(address))}

    assert seen("10.0.0.1") == {"10.0.0.1"}
    assert seen("::ffff:10.0.0.1") == {"10.0.0.1"}
    assert seen("64:ff9b::a00:1") == {"10.0.0.1"}
    assert "10.0.0.1" in seen("64:ff9b:1::a00:1") & seen("::10.0.0.1") & seen("2002:a00:1::5")
    # Behind a translator's prefix of 48, 56 and 64 bits, RFC 6052.
    assert "10.0.0.1" in seen("64:ff9b:1:a00:0:100::") & seen("64:ff9b:1:a:0:1::") & seen("64:ff9b:1::a:0:100:0")
    assert Guard((ip_network("64:ff9b:1::/48"),)).permits(ip_address("64:ff9b:1::808:808"))
    assert not Guard((ip_network("64:ff9b:1::/48"),)).permits(ip_address("64:ff9b:1:a9fe:a9:fe08:808:808"))
    assert {"10.0.0.1", "192.168.0.1"} < seen("2001:0:a00:1:0:0:3f57:fffe")


async def test_an_operator_may_allow_networks_and_nothing_else() -> None:
    guard = Guard((ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")))
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00:1::5", "8.8.8.8"):
        assert await guard.resolve(address, 22)
    for address in ("10.2.0.1", "127.0.0.1", "fd00:2::5", "2002:a01:203::1", "::10.1.2.3"):
        with pytest.raises(TransportFailed, match=UNRESOLVED):
            await guard.resolve(address, 22)
    wide = Guard((ip_network("2002::/16"),))
    with pytest.raises(TransportFailed, match=UNRESOLVED):
        await wide.resolve("2002:a9fe:a9fe::1", 22)  # the wrapping is allowed, what is in it is not


async def test_the_next_address_is_tried_when_one_does_not_answer(patient: MakePolicy) -> None:
    listening = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.3", 0)
    guard = Guard((ip_network("127.0.0.0/8"),), Names(["127.0.0.1", "127.0.0.2", "127.0.0.3"]))
    reached = await guard.dial("files.example", listening.sockets[0].getsockname()[1], 5)
    assert reached.getpeername()[0] == "127.0.0.3"
    reached.close()
    listening.close()


@pytest.mark.parametrize(("wrong", "passing"), [(socket.EAI_NONAME, False), (socket.EAI_AGAIN, True)])
async def test_a_failed_lookup_does_not_repeat_the_text_of_the_system(wrong: int, passing: bool) -> None:
    async def lost(host: str, port: int) -> list[str]:
        raise socket.gaierror(wrong, "words of the system")

    with pytest.raises(TransportFailed) as failed:
        await Guard(lookup=lost).resolve("files.example", 443)
    assert (failed.value.step, failed.value.transient) == ("resolve", passing)
    assert "system" not in str(failed.value)
    assert failed.value.__suppress_context__


@pytest.mark.parametrize("scheme", ["http", "https", "s3", "ftp", "ftps", "sftp"])
@pytest.mark.parametrize("port", [0, -1, 22, 21, 25, 53, 2375, 3306, 5432, 6379, 9200, 11211, 27017, 65_536])
def test_ports_of_other_services_are_refused(scheme: str, port: int) -> None:
    if port in OWN_PORTS.get(scheme, ()):
        assert validate_port(scheme, port) == port
        return
    with pytest.raises(TransportFailed, match="port"):
        validate_port(scheme, port)


@pytest.mark.parametrize(
    ("scheme", "port"), [("https", 443), ("https", 8443), ("http", 8080), ("sftp", 44), ("s3", 9000)]
)
def test_ports_that_partners_use_are_allowed(scheme: str, port: int) -> None:
    assert validate_port(scheme, port) == port


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com/a", "//example.com/a", "file:///etc/passwd", "gopher://example.com/", "ftp://example.com/a",
        "data:text/csv,a", "javascript:1", "https://", "https:///a", "https://user@example.com/a",
        "https://user:word@example.com/a", "https://@example.com/a", "https://example.com:99999/a",
        "https://example.com:x/a", "https://example.com:22/a", "https://exa mple.com/a", "https://example.com\\@evil/a",
        "https://example.com/a\r\nX: y", "https://example.com/a\x00", "https://[::1/a", "\thttps://example.com/a",
        "https://example.com/" + "x" * 9_000,
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(TransportFailed) as failed:
        parse_remote_url(url)
    assert failed.value.step == "address"
    assert "word" not in str(failed.value)


def test_a_url_is_parsed() -> None:
    target = parse_server_url("HTTPS://Files.Example:8443/größe/a b%20c.csv?day=1&x=100%#part")
    assert (target.scheme, target.host, target.port) == ("https", "files.example", 8443)
    assert target.path == "/gr%C3%B6%C3%9Fe/a%20b%20c.csv?day=1&x=100%25"
    assert parse_server_url("http://[2606:4700::1]").origin == ("http", "2606:4700::1", 80)


@pytest.fixture
async def other(certificates: Certificates) -> AsyncIterator[HttpServer]:
    """A second web server, another origin."""
    async with http_server(certificates) as running:
        running.web.login = False
        yield running


REDIRECTS = [301, 302, 303, 307, 308]


@pytest.mark.parametrize("status", REDIRECTS)
async def test_a_redirect_inwards_is_not_followed(
    status: int, web: HttpServer, canary: Canary, dialled: list[Any], patient: MakePolicy
) -> None:
    policy = patient(guard=Guard((ip_network("127.0.0.1/32"),)))
    locations = [
        f"{scheme}://{host}:{canary.port}/a" for scheme in ("http", "https") for host in ("127.0.0.2", "[::1]")
    ]
    locations += [f"//127.0.0.2:{canary.port}/a", "https://169.254.169.254/latest/meta-data/", "file:///etc/passwd"]
    locations += ["ftp://127.0.0.2/a", "gopher://127.0.0.2/", f"https://x@127.0.0.2:{canary.port}/", "https://[", ""]
    for location in locations:
        web.web.redirects["/start.csv"] = (status, location)
        with pytest.raises(TransportFailed) as failed:
            await visit_path(web.remote, "/start.csv", policy)
        assert failed.value.step in {"address", "resolve", "find"}, location
    assert {address[:2] for address in dialled} <= {("127.0.0.1", web.wire.port), ("127.0.0.1", web.wire.behind)}


async def visit_path(remote: Remote, path: str, policy: TransferPolicy) -> None:
    async with connect(remote, policy) as transport:
        await transport.stat(path)


@pytest.mark.parametrize("status", REDIRECTS)
async def test_the_number_of_redirects_is_limited(status: int, web: HttpServer, patient: MakePolicy) -> None:
    web.web.redirects["/itself.csv"] = (status, "/itself.csv")
    with pytest.raises(TransportFailed, match="redirects too many times"):
        await visit_path(web.remote, "/itself.csv", patient())
    assert len(web.web.asked) <= 12


@pytest.mark.parametrize("status", REDIRECTS)
async def test_credentials_stay_with_the_origin_that_they_are_for(
    status: int, web: HttpServer, other: HttpServer, patient: MakePolicy
) -> None:
    await web.store("here.csv", b"here")
    await other.store("there.csv", b"there")
    web.web.redirects["/a.csv"] = (status, "/here.csv")
    web.web.redirects["/b.csv"] = (status, f"https://127.0.0.1:{other.wire.port}/there.csv")
    remote = Remote(
        "https", "127.0.0.1", web.wire.port, USER, SecretStr(PASSWORD), {"headers": {"X-Key": SecretStr("k")}}
    )
    async with connect(remote, patient()) as transport:
        assert [piece async for piece in transport.read("/a.csv")] == [b"here"]
        assert [piece async for piece in transport.read("/b.csv")] == [b"there"]
    assert {"authorization", "x-key"} < set(web.web.asked[-1][2])
    assert {"authorization", "x-key"}.isdisjoint(other.web.asked[-1][2])


async def test_a_redirect_from_https_to_http_is_not_followed(
    web: HttpServer, dialled: list[Any], patient: MakePolicy
) -> None:
    async with http_server(None) as plain:
        await plain.store("a.csv", b"x")
        web.web.redirects["/a.csv"] = (302, f"http://127.0.0.1:{plain.wire.port}/a.csv")
        with pytest.raises(TransportFailed, match="redirects from https to http"):
            await visit_path(web.remote, "/a.csv", patient())
        assert plain.web.asked == []


@pytest.mark.parametrize("status", REDIRECTS)
async def test_s3_follows_no_redirect(
    status: int, canary: Canary, certificates: Certificates, patient: MakePolicy
) -> None:
    async with http_server(certificates) as hostile:
        hostile.web.login = False
        hostile.web.redirects["/files/file.csv"] = (status, f"http://127.0.0.2:{canary.port}/files/file.csv")
        policy = patient(guard=Guard((ip_network("127.0.0.1/32"),)), tries=1)
        with pytest.raises(TransportFailed, match="region"):
            await visit(remote_of("s3", "127.0.0.1", hostile.wire.port), policy)


@pytest.mark.parametrize("scheme", ["http", "https", "s3"])
async def test_the_environment_names_no_proxy_and_no_server(
    scheme: str, canary: Canary, patient: MakePolicy, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    there = f"http://127.0.0.2:{canary.port}"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, there)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", there)
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    shared_session.cache_clear()
    with pytest.raises(TransportFailed, match="cannot be reached"):
        await visit(remote_of(scheme, "127.0.0.1", unused_tcp_port), patient(tries=1))
    shared_session.cache_clear()


async def test_s3_never_uses_the_machines_own_keys(
    canary: Canary, patient: MakePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ours")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ours")
    options = {"bucket": "files", "endpoint": f"http://127.0.0.2:{canary.port}"}
    for more in ({}, {"access_key": SecretStr("x")}, {"access_key": SecretStr(""), "secret_key": SecretStr("")}):
        with pytest.raises(TransportFailed, match="setting"):
            await visit(Remote("s3", "", options={**options, **more}), patient())


@pytest.mark.parametrize("region", ["evil.example/#", "us-east-1.evil", "../x", "US", "a b"])
async def test_a_region_cannot_name_a_host(region: str, dialled: list[Any], patient: MakePolicy) -> None:
    keys = {"access_key": SecretStr("x"), "secret_key": SecretStr("x")}
    with pytest.raises(TransportFailed, match="setting"):
        await visit(Remote("s3", "", options={"bucket": "files", "region": region, **keys}), patient())
    assert dialled == []


async def test_amazons_own_names_are_checked_too(
    canary: Canary, dialled: list[Any], patient: MakePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an endpoint the host is made of bucket and region; its answers go through the guard like any other."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.2:{canary.port}")
    shared_session.cache_clear()
    names = Names(["8.8.8.8", "10.0.0.1"])
    keys = {"access_key": SecretStr("x"), "secret_key": SecretStr("x")}
    remote = Remote("s3", "", options={"bucket": "files", "region": "eu-west-1", **keys})
    with pytest.raises(TransportFailed, match=UNRESOLVED):
        await visit(remote, patient(guard=Guard(lookup=names)))
    assert names.hosts == ["files.s3.eu-west-1.amazonaws.com"]
    assert dialled == []
    shared_session.cache_clear()


async def test_addresses_that_skip_the_resolver_are_checked_at_the_socket(
    canary: Canary, dialled: list[Any], patient: MakePolicy
) -> None:
    """aiohttp looks up names only: a literal address, in an answer of S3 say, goes straight to a socket."""
    async with open_session(patient(guard=Guard())) as raw:
        for host in ("127.0.0.2", "[::ffff:127.0.0.2]", "169.254.169.254"):
            with pytest.raises(TransportFailed, match=UNRESOLVED):
                await raw.get(f"http://{host}:{canary.port}/")
    assert dialled == []


async def test_a_refused_fetch_is_not_tried_again(canary: Canary, patient: MakePolicy) -> None:
    names = Names(["127.0.0.1"])
    with pytest.raises(TransportFailed, match=UNRESOLVED):
        await fetch(
            remote_of("https", "files.example", canary.port), "a", patient(guard=Guard(lookup=names)), Nowhere()
        )
    assert names.hosts == ["files.example"]


class Nowhere:
    async def begin(self, file: FileInfo) -> None:
        raise AssertionError

    async def write(self, data: bytes) -> None:
        raise AssertionError

    async def start_over(self) -> None:
        raise AssertionError
