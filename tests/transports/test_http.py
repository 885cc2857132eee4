"""The web as it really is: servers without ranges, without lengths, without HEAD, with odd answers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from app.transports import connect
from app.transports.failed import TransportFailed
from app.transports.fetch import fetch
from app.transports.http import parse_remote_url
from app.transports.http.files import OUR_HEADERS
from app.transports.transport import Remote, TransferPolicy
from tests.transports.servers.http import HttpServer
from tests.transports.servers.server import PASSWORD, USER
from tests.transports.test_conformance import MEGABYTE, Kept, noise

MakePolicy = Callable[..., TransferPolicy]


@pytest.mark.parametrize(
    "quirks",
    [
        {"no_head"}, {"head_zero"}, {"no_range"}, {"no_validators"}, {"no_length"}, {"no_head", "no_range"},
        {"no_head", "no_length", "no_validators"}, {"head_zero", "no_range", "no_validators"},
    ],
    ids=lambda quirks: " ".join(sorted(quirks)),
)  # fmt: skip
@pytest.mark.parametrize("size", [0, 5, 400_000])
async def test_an_odd_server_serves_as_well(web: HttpServer, patient: MakePolicy, quirks: set[str], size: int) -> None:
    await web.store("a.csv", noise(size))
    web.web.quirks = quirks
    sink = Kept()
    await fetch(web.remote, "a.csv", patient(), sink)
    assert bytes(sink.data) == noise(size)


async def test_without_ranges_the_known_beginning_is_skipped(web: HttpServer, patient: MakePolicy) -> None:
    await web.store("a.bin", noise(6 * MEGABYTE))
    web.web.quirks = {"no_range"}
    web.cut_after(3 * MEGABYTE)
    sink = Kept()
    await fetch(web.remote, "a.bin", patient(), sink)
    assert bytes(sink.data) == noise(6 * MEGABYTE)
    assert (sink.restarts, sink.written) == (0, 6 * MEGABYTE)


async def test_a_file_that_cannot_be_recognized_is_fetched_from_the_beginning(
    web: HttpServer, patient: MakePolicy
) -> None:
    await web.store("a.bin", noise(6 * MEGABYTE))
    web.web.quirks = {"no_validators"}
    web.cut_after(3 * MEGABYTE)
    sink = Kept()
    await fetch(web.remote, "a.bin", patient(), sink)
    assert bytes(sink.data) == noise(6 * MEGABYTE)
    assert sink.restarts == 1


@pytest.mark.parametrize(
    ("quirks", "age", "restarts"),
    [
        (set(), timedelta(0), 0),
        ({"weak_tag"}, timedelta(days=1), 1),
        ({"no_tag"}, timedelta(days=1), 0),
        ({"no_tag"}, timedelta(0), 1),  # it may change again within this second
    ],
    ids=["strong tag", "weak tag", "old time", "new time"],
)
async def test_a_transfer_is_resumed_where_a_strong_validator_proves_that_the_file_is_the_same(
    web: HttpServer, patient: MakePolicy, quirks: set[str], age: timedelta, restarts: int
) -> None:
    await web.store("a.bin", noise(6 * MEGABYTE), datetime.now(UTC) - age)
    web.web.quirks = quirks
    web.cut_after(3 * MEGABYTE)
    sink = Kept()
    await fetch(web.remote, "a.bin", patient(), sink)
    assert bytes(sink.data) == noise(6 * MEGABYTE)
    assert sink.restarts == restarts


async def test_a_body_without_a_length_that_is_cut_off_is_noticed(web: HttpServer, patient: MakePolicy) -> None:
    await web.store("a.bin", noise(6 * MEGABYTE))
    web.web.quirks = {"no_length", "no_head"}
    web.cut_after(3 * MEGABYTE)
    sink = Kept()
    await fetch(web.remote, "a.bin", patient(), sink)
    assert bytes(sink.data) == noise(6 * MEGABYTE)


async def test_the_limit_holds_without_a_content_length(web: HttpServer, patient: MakePolicy) -> None:
    await web.store("a.bin", noise(6 * MEGABYTE))
    web.web.quirks = {"no_length", "no_head", "no_validators"}
    sink = Kept()
    with pytest.raises(TransportFailed, match="larger than"):
        await fetch(web.remote, "a.bin", patient(limit=MEGABYTE), sink)
    assert sink.written <= MEGABYTE


async def test_another_file_is_not_appended_to_the_beginning_of_the_old_one(
    web: HttpServer, patient: MakePolicy
) -> None:
    old, new = noise(6 * MEGABYTE), noise(6 * MEGABYTE, 2)
    await web.store("a.bin", old)
    web.cut_after(3 * MEGABYTE)
    sink = Kept(lambda: web.store("a.bin", new))
    await fetch(web.remote, "a.bin", patient(), sink)
    assert bytes(sink.data) == new


async def test_reading_reports_that_the_file_has_changed(web: HttpServer, patient: MakePolicy) -> None:
    await web.store("a.bin", noise(1_000))
    async with connect(web.remote, patient()) as transport:
        before = await transport.stat("a.bin")
        await web.store("a.bin", noise(1_000, 2))
        for offset in (0, 500, 1_000):
            with pytest.raises(TransportFailed, match="changed"):
                [piece async for piece in transport.read("a.bin", offset=offset, expected=before)]
        await web.store("a.bin", noise(100, 2))
        with pytest.raises(TransportFailed, match="changed"):
            [piece async for piece in transport.read("a.bin", offset=500, expected=before)]


async def test_an_answer_in_an_unknown_coding_is_refused(web: HttpServer, patient: MakePolicy) -> None:
    await web.store("a.csv", b"x" * 50)
    web.web.coding = "br"
    with pytest.raises(TransportFailed, match="compresses"):
        await fetch(web.remote, "a.csv", patient(), Kept())
    assert {headers["accept-encoding"] for _, _, headers in web.web.asked} == {"identity"}


@pytest.mark.parametrize(
    ("status", "step", "passing"),
    [
        (400, "find", False), (401, "authenticate", False), (403, "find", False), (404, "find", False),
        (407, "authenticate", False), (410, "find", False), (418, "find", False), (429, "find", True),
        (500, "find", True), (502, "find", True), (503, "find", True), (304, "find", False), (204, "find", False),
    ],
)  # fmt: skip
async def test_every_status_has_its_reason(
    web: HttpServer, patient: MakePolicy, status: int, step: str, passing: bool
) -> None:
    web.web.failing = [status] * 2
    async with connect(web.remote, patient()) as transport:
        with pytest.raises(TransportFailed) as failed:
            await transport.stat("a.csv")
    assert (failed.value.step, failed.value.transient) == (step, passing)


async def test_a_busy_server_is_asked_again(web: HttpServer, patient: MakePolicy) -> None:
    await web.store("a.csv", b"x")
    web.web.failing = [503, 503]
    sink = Kept()
    await fetch(web.remote, "a.csv", patient(), sink)
    assert bytes(sink.data) == b"x"


async def test_lists_are_of_one_file(web: HttpServer, patient: MakePolicy) -> None:
    await web.store("a.csv", b"x", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    async with connect(web.remote, patient()) as transport:
        (only,) = await transport.list("/a.csv")
        assert (only.path, only.size, only.modified) == ("/a.csv", 1, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
        assert await transport.list("/none.csv") == []
        for pattern in ("/*.csv", "/[ab].csv"):
            with pytest.raises(TransportFailed, match="cannot list files"):
                await transport.list(pattern)


async def test_a_query_is_part_of_the_path(web: HttpServer, patient: MakePolicy) -> None:
    await web.store("export?shop=1&day=2026-01-01", b"x")
    remote, path = parse_remote_url(
        f"https://127.0.0.1:{web.wire.port}/export?shop=1&day=2026-01-01", USER, SecretStr(PASSWORD)
    )
    sink = Kept()
    await fetch(remote, path, patient(), sink)
    assert bytes(sink.data) == b"x"


async def test_headers_of_the_caller_are_sent(web: HttpServer, patient: MakePolicy) -> None:
    await web.store("a.csv", b"x")
    remote = Remote("https", "127.0.0.1", web.wire.port, options={"headers": {"Authorization": SecretStr("Bearer t")}})
    web.web.login = False
    async with connect(remote, patient()) as transport:
        await transport.stat("a.csv")
    assert web.web.asked[-1][2]["authorization"] == "Bearer t"


@pytest.mark.parametrize("name", [*sorted(OUR_HEADERS), "Host", "a b", "a:b", "", "x\r\ny"])
async def test_headers_that_only_the_service_may_set_are_refused(patient: MakePolicy, name: str) -> None:
    with pytest.raises(TransportFailed) as failed:
        async with connect(Remote("https", "x.example", options={"headers": {name: SecretStr("1")}}), patient()):
            pass
    assert failed.value.step == "address"


@pytest.mark.parametrize("value", ["a\r\nHost: b", "a\x00", "ä"])
async def test_a_value_of_a_header_cannot_begin_another(patient: MakePolicy, value: str) -> None:
    with pytest.raises(TransportFailed) as failed:
        async with connect(Remote("https", "x.example", options={"headers": {"X-A": SecretStr(value)}}), patient()):
            pass
    assert failed.value.step == "address"


async def test_the_certificate_is_checked_against_the_name(web: HttpServer, patient: MakePolicy) -> None:
    """The address is dialled, the name is meant: `localhost` is in the certificate, `files.example` is not."""

    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    policy = patient()
    guard = type(policy.guard)(policy.guard.allowed, here)
    web.web.login = False
    await web.store("a.csv", b"x")
    async with connect(Remote("https", "localhost", web.wire.port), patient(guard=guard)) as transport:
        await transport.stat("a.csv")
    assert web.web.asked[-1][2]["host"] == f"localhost:{web.wire.port}"
    with pytest.raises(TransportFailed, match="certificate"):
        async with connect(Remote("https", "files.example", web.wire.port), patient(guard=guard)) as transport:
            await transport.stat("a.csv")


def test_secrets_are_not_in_the_repr_of_a_remote() -> None:
    remote, _ = parse_remote_url("https://x.example/a", "me", SecretStr("hunter"), {"X-Key": SecretStr("hunter")})
    assert "hunter" not in f"{remote!r} {remote}"
