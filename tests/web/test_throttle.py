"""The rate limit: told on every answer in the surface's own headers, exact in a flood, no trouble without Valkey."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from secrets import randbits, token_hex
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from redis.asyncio import ConnectionPool

from app.observe import Observer
from app.runtime import Misconfigured, Runtime, open_runtime
from app.storage.database import Database
from app.surfaces import SURFACES as DIALECTS
from app.throttle import ANSWER_SECONDS, RateLimit, RequestCounter, Throttle, parse_rate_limit
from app.web.openapi import build_openapi
from tests.conftest import NewAccount
from tests.support.http import Account, app_on, client_of, post, stored_files

DAY = 86_400
PATIENCE = 30.0  # a busy disk holds up Valkey for longer than a request would wait for it
# A path that needs a key, and what the surface calls limit, rest and reset.
SURFACES = {
    "connectif": ("/imports", ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")),
    "native": ("/types", ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")),
    "voucherify": ("/v1/async-actions", ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-retry")),
}
WRONG = {"Authorization": "apiKey sluice_0123456789abcdef:veryWrong"}

on_every_surface = pytest.mark.parametrize("surface", SURFACES)
Limited = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def limited(runtime: Runtime) -> Limited:
    """A client of the app with another rate limit: limited("3/day"). Windows of a day do not end during a test."""
    patient = replace(runtime.throttle, counters=RequestCounter(runtime.queue.connections, PATIENCE))

    def client(rate: str, address: str | None = None) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        return client_of(app_on(replace(runtime, throttle=patient), rate_limit=rate), address or an_address())

    return client


def an_address() -> str:
    """One that no other test has."""
    return str(IPv4Address(0x0A000000 + randbits(24)))


def told(answer: httpx.Response, surface: str) -> tuple[int, int, int]:
    """Limit, rest and reset, as the answer's headers have them."""
    limit, remaining, reset = (int(answer.headers[name]) for name in SURFACES[surface][1])
    return limit, remaining, reset


def rate_names(answer: httpx.Response) -> set[str]:
    return {name for name in answer.headers if "ratelimit" in name.replace("-", "")}


@on_every_surface
async def test_every_answer_counts_down(limited: Limited, an_account: Account, surface: str) -> None:
    path, names = SURFACES[surface]
    async with limited("5/day") as client:
        answers = [await client.get(path, headers=an_account.headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3, answers[0].text
    assert [told(answer, surface)[:2] for answer in answers] == [(5, 4), (5, 3), (5, 2)]
    assert rate_names(answers[0]) == set(names)


@on_every_surface
async def test_the_reset_is_the_end_of_the_window(limited: Limited, an_account: Account, surface: str) -> None:
    path, _ = SURFACES[surface]
    async with limited("5/day") as client:
        reset = told(await client.get(path, headers=an_account.headers), surface)[2]
    ends = math.ceil(time.time() / DAY) * DAY
    expected = ends - time.time() if surface == "native" else ends
    assert reset == pytest.approx(expected, abs=5)


@on_every_surface
async def test_beyond_the_limit_the_answer_is_429_in_the_words_of_the_surface(
    limited: Limited, an_account: Account, surface: str
) -> None:
    path, names = SURFACES[surface]
    async with limited("2/day") as client:
        before = [await client.get(path, headers=an_account.headers) for _ in range(2)]
        over = await client.get(path, headers=an_account.headers)
    assert [answer.status_code for answer in (*before, over)] == [200, 200, 429]
    assert told(over, surface)[:2] == (2, 0)
    ends = math.ceil(time.time() / DAY) * DAY
    assert ends <= time.time() + int(over.headers["retry-after"]) <= ends + 5
    assert "retry-after" not in before[-1].headers
    body = over.json()
    assert body["code"] == (429 if surface == "voucherify" else "too_many_requests")
    extra = {"x-rate-limit-type"} if surface == "voucherify" else set()
    assert (rate_names(before[-1]), rate_names(over)) == (set(names), set(names) | extra)
    assert over.headers.get("x-rate-limit-type", "api_calls") == "api_calls"


async def test_after_the_time_that_was_named_the_request_passes(limited: Limited, an_account: Account) -> None:
    async with limited("3/second") as client:
        flood = [client.get("/imports", headers=an_account.headers) for _ in range(20)]
        refused = [answer for answer in await asyncio.gather(*flood) if answer.status_code == 429]
        assert refused
        await asyncio.sleep(int(refused[-1].headers["retry-after"]))
        assert (await client.get("/imports", headers=an_account.headers)).status_code == 200


async def test_of_a_flood_exactly_the_limit_passes(runtime: Runtime, limited: Limited, an_account: Account) -> None:
    """Through two processes' worth of connections: they share nothing but Valkey."""
    pool = another_pool(runtime)
    try:
        throttle = Throttle(parse_rate_limit("10/day"), RequestCounter(pool, PATIENCE), runtime.observe)
        other = app_on(replace(runtime, throttle=throttle))
        async with limited("10/day") as here, client_of(other) as there:
            flood = [client.get("/imports", headers=an_account.headers) for client in (here, there) for _ in range(25)]
            answers = await asyncio.gather(*flood)
    finally:
        await pool.aclose()
    passed = [answer for answer in answers if answer.status_code == 200]
    assert len(passed) == 10
    assert sorted(told(answer, "connectif")[1] for answer in passed) == list(range(10))
    assert {answer.status_code for answer in answers} == {200, 429}


async def test_two_keys_share_nothing_not_even_of_one_account(
    limited: Limited, an_account: Account, a_key: NewAccount
) -> None:
    second = await a_key(name=an_account.name)
    async with limited("1/day") as client:
        for account in (an_account, second):
            assert (await client.get("/imports", headers=account.headers)).status_code == 200
            assert (await client.get("/imports", headers=account.headers)).status_code == 429


async def test_all_surfaces_count_together_and_a_key_without_the_right_counts_too(
    limited: Limited, a_key: NewAccount
) -> None:
    account = await a_key(scopes=["types:read"])
    async with limited("9/day") as client:
        answers = [await client.get(path, headers=account.headers) for path, _ in SURFACES.values()]
    assert [answer.status_code for answer in answers] == [403, 200, 403]
    rest = [told(answer, surface)[1] for answer, surface in zip(answers, SURFACES, strict=True)]
    assert rest == [8, 7, 6]


async def test_wrong_keys_count_by_their_address(limited: Limited, an_account: Account) -> None:
    address = an_address()
    guesses: tuple[Mapping[str, str], ...] = ({}, WRONG, {"Authorization": f"apiKey {an_account.key}x"})
    async with limited("3/day", address) as client, limited("3/day") as elsewhere:
        answers = [await client.get("/imports", headers=guess) for guess in (*guesses, *guesses)]
        assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 3
        assert [told(answer, "connectif")[1] for answer in answers] == [2, 1, 0, 0, 0, 0]
        assert (await elsewhere.get("/imports", headers=WRONG)).status_code == 401
        # Neither does a right key suffer from its address, nor from those who know its id.
        right = await client.get("/imports", headers=an_account.headers)
        assert (right.status_code, told(right, "connectif")[1]) == (200, 2)


@on_every_surface
async def test_without_a_database_nothing_is_counted_and_all_is_left(
    runtime: Runtime, an_account: Account, database_url: str, surface: str
) -> None:
    path, _ = SURFACES[surface]
    unreachable = Database("postgresql://nobody:nothing@127.0.0.1:1/nowhere", pool_size=1)
    without_tables = Database(database_url.replace("/tests", "/postgres"), pool_size=1)
    try:
        for database, status in ((unreachable, 503), (without_tables, 500)):
            async with client_of(app_on(replace(runtime, database=database), rate_limit="7/day")) as client:
                broken = await client.get(path, headers=an_account.headers)
            assert (broken.status_code, told(broken, surface)[:2]) == (status, (7, 7))
    finally:
        await unreachable.close()
        await without_tables.close()


@on_every_surface
async def test_what_failed_tells_it_too(limited: Limited, an_account: Account, surface: str) -> None:
    path, _ = SURFACES[surface]
    async with limited("7/day") as client:
        nowhere = await client.get(f"{path}/no/such/path")
        assert (nowhere.status_code, told(nowhere, surface)[:2]) == (404, (7, 7))
        keyless = await client.get(path)
        assert (keyless.status_code, told(keyless, surface)[:2]) == (401, (7, 6))
        nonsense = await client.get(f"{path}?limit=x&page=x", headers=an_account.headers)
        assert told(nonsense, surface)[:2] == (7, 6)
        head = await client.head(path, headers=an_account.headers)
        assert (head.status_code, told(head, surface)[:2]) == (200, (7, 5))


async def test_what_needs_no_key_is_not_counted(limited: Limited, an_account: Account) -> None:
    async with limited("1/day") as client:
        for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"):
            for _ in range(2):
                answer = await client.get(path, headers=an_account.headers)
                assert answer.status_code != 429
                assert told(answer, "native") == (1, 1, 0)
        assert (await client.get("/types", headers=an_account.headers)).status_code == 200


async def test_an_upload_beyond_the_limit_leaves_nothing(
    runtime: Runtime, limited: Limited, an_account: Account
) -> None:
    async with limited("1/day") as client:
        assert (await post(client, an_account)).status_code == 201
        before = stored_files(runtime)
        assert (await post(client, an_account)).status_code == 429
    assert stored_files(runtime) == before


@pytest.mark.parametrize("off", ["off", "OFF", "0"])
async def test_switched_off_there_are_no_headers_and_no_end(limited: Limited, an_account: Account, off: str) -> None:
    async with limited(off) as client:
        answers = [await client.get("/types", headers=headers) for headers in (an_account.headers, WRONG) * 3]
    assert [answer.status_code for answer in answers] == [200, 401] * 3
    assert not any(rate_names(answer) for answer in answers)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10000/minute", RateLimit(10_000, 60)),
        ("20 per 5 seconds", RateLimit(20, 5)),
        (" 3/SECOND ", RateLimit(3, 1)),
        ("1/31 days", RateLimit(1, 31 * DAY)),
        ("off", None),
    ],
)
def test_a_rate_may_be_written(text: str, rate: RateLimit | None) -> None:
    assert parse_rate_limit(text) == rate


@pytest.mark.parametrize(
    "text",
    ["", "100", "-1/minute", "0/minute", "1.5/minute", "10/fortnight", "many", "1/32 days", "1/year", "5/second;9/day"],
)
async def test_a_rate_that_cannot_be_read_is_told_at_the_start(runtime: Runtime, text: str) -> None:
    with pytest.raises(Misconfigured, match="SLUICE_RATE_LIMIT"):
        async with open_runtime(runtime.settings.model_copy(update={"rate_limit": text})):
            pass


@on_every_surface
def test_every_operation_with_a_key_documents_its_429_and_the_headers(surface: str) -> None:
    document = build_openapi(next(each for each in DIALECTS.all if each.name == surface))
    operations = [each for operations in document["paths"].values() for each in operations.values()]
    keyed = [each["responses"] for each in operations if each.get("security") != []]
    assert keyed
    for responses in keyed:
        names = {name.lower() for name in responses["429"]["headers"]}
        assert names >= {*SURFACES[surface][1], "retry-after"}
        successes = [each for status, each in responses.items() if status.startswith("2")]
        assert all({name.lower() for name in each["headers"]} >= {*SURFACES[surface][1]} for each in successes)


def another_pool(runtime: Runtime, **changed: Any) -> ConnectionPool:
    """Connections of its own to the tests' Valkey, or to what is `changed`."""
    return ConnectionPool(**runtime.queue.connections.connection_kwargs | changed)


class Gate:
    """A port before Valkey that can be frozen: it takes connections and requests, and is silent."""

    def __init__(self, url: str) -> None:
        self.place = urlsplit(url)
        self.frozen = False
        self.asked = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up, down = await asyncio.open_connection(self.place.hostname, self.place.port)
        try:
            await asyncio.gather(self.carry(reader, down), self.carry(up, writer))
        except ConnectionError:
            pass
        finally:
            down.close()
            writer.close()

    async def carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while piece := await source.read(65_536):
            self.asked += 1
            if not self.frozen:
                target.write(piece)
                await target.drain()
        target.close()


@pytest.fixture
async def gate(runtime: Runtime) -> AsyncIterator[Gate]:
    assert runtime.settings.redis_url is not None
    gate = Gate(runtime.settings.redis_url.get_secret_value())
    async with await asyncio.start_server(gate.serve, "127.0.0.1", 0) as server:
        gate.port = server.sockets[0].getsockname()[1]
        yield gate


@asynccontextmanager
async def through(runtime: Runtime, port: int, patience: float) -> AsyncIterator[tuple[Throttle, Observer]]:
    """A throttle of two requests a day whose Valkey is at a port, and who hears what it says."""
    observer = Observer()
    pool = another_pool(runtime, host="127.0.0.1", port=port)
    try:
        yield Throttle(parse_rate_limit("2/day"), RequestCounter(pool, patience), observer), observer
    finally:
        await pool.aclose()


def losses(observer: Observer) -> int:
    return round(
        observer.metrics.registry.get_sample_value("sluice_trouble_total", {"kind": "RateLimitUnavailable"}) or 0
    )


async def left(throttle: Throttle, who: str) -> int:
    """What is left after a request; -1 when there was nothing left for it."""
    allowance = await throttle.take(who)
    assert allowance is not None
    return allowance.remaining if allowance.retry_after is None else -1


async def test_without_valkey_requests_pass_and_it_is_said_once(runtime: Runtime, an_account: Account) -> None:
    async with through(runtime, 1, ANSWER_SECONDS) as (throttle, observer):
        began = time.monotonic()
        async with client_of(app_on(replace(runtime, throttle=throttle))) as client:
            right = [client.get("/imports", headers=an_account.headers) for _ in range(20)]
            wrong = [client.get("/imports", headers=WRONG) for _ in range(20)]
            answers = await asyncio.gather(*right, *wrong)
        assert time.monotonic() - began < 5
    assert [answer.status_code for answer in answers] == [200] * 20 + [401] * 20
    assert {told(answer, "connectif")[:2] for answer in answers} == {(2, 2)}
    assert losses(observer) == 1


async def test_a_frozen_valkey_costs_a_request_a_quarter_of_a_second_once(gate: Gate, runtime: Runtime) -> None:
    gate.frozen = True
    async with through(runtime, gate.port, ANSWER_SECONDS) as (throttle, observer):
        began = time.monotonic()
        assert await asyncio.gather(*(left(throttle, f"frozen-{who}") for who in range(50))) == [2] * 50
        first, asked = time.monotonic() - began, gate.asked
        began = time.monotonic()
        assert [await left(throttle, "frozen") for _ in range(100)] == [2] * 100
        others = time.monotonic() - began
        assert (losses(observer), gate.asked) == (1, asked)
    assert 0.2 < first < 2
    assert others < 0.2


async def test_whether_valkey_is_back_one_request_alone_finds_out(gate: Gate, runtime: Runtime) -> None:
    gate.frozen = True
    async with through(runtime, gate.port, ANSWER_SECONDS) as (throttle, _):
        throttle.pause = 0.0
        assert await left(throttle, "first") == 2
        throttle.pause = 5.0
        waited = await asyncio.gather(*(seconds_of(left(throttle, f"later-{who}")) for who in range(20)))
    assert sum(each > 0.2 for each in waited) == 1


async def seconds_of(call: Coroutine[Any, Any, object]) -> float:
    began = time.monotonic()
    await call
    return time.monotonic() - began


async def test_a_valkey_that_is_back_counts_again(gate: Gate, runtime: Runtime, an_account: Account) -> None:
    who = an_account.name
    async with through(runtime, gate.port, patience=1) as (throttle, observer):
        throttle.pause = 0.05
        assert await left(throttle, who) == 1
        gate.frozen = True
        assert await left(throttle, who) == 2
        gate.frozen = False
        deadline = time.monotonic() + 10
        while (rest := await left(throttle, who)) == 2 and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        assert (rest, await left(throttle, who)) == (0, -1)
        assert losses(observer) == 1


async def test_a_busy_process_does_not_take_valkey_for_gone(runtime: Runtime, an_account: Account) -> None:
    """As in a flood: each turn of the loop takes longer than an answer may."""
    pool = another_pool(runtime)
    observer = Observer()
    throttle = Throttle(parse_rate_limit("2/day"), RequestCounter(pool, patience=0.001), observer)
    busy = asyncio.create_task(turning(0.005))
    try:
        rests = await asyncio.gather(*(left(throttle, an_account.name) for _ in range(4)))
    finally:
        busy.cancel()
        await pool.aclose()
    assert (rests, losses(observer)) == ([1, 0, -1, -1], 0)


async def turning(seconds: float) -> None:
    while True:
        time.sleep(seconds)
        await asyncio.sleep(0)


async def test_guesses_from_one_network_of_ipv6_are_counted_together(runtime: Runtime) -> None:
    app = app_on(runtime, rate_limit="5/hour")
    statuses, network = [], token_hex(2)
    for number in range(8):
        async with client_of(app, f"2001:db8:{network}::{number:x}") as client:
            statuses.append((await client.get("/imports", headers={"Authorization": "apiKey a:b"})).status_code)
    assert statuses == [401] * 5 + [429] * 3
