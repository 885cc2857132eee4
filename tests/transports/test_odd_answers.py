"""Answers and requests that make no sense: each is reported with its step or field, and none breaks a worker."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.runtime import Runtime
from app.transports.transport import Remote, TransferPolicy
from tests.conftest import Finish
from tests.support.http import PARTS
from tests.transports.servers.ftp import Script
from tests.transports.servers.http import HttpServer
from tests.transports.servers.raw import Answer, Asked, gives, page, raw_web, reply, s3_at, web_at
from tests.transports.servers.server import PASSWORD, USER
from tests.transports.test_connections import FILE, api, body, made, pulls
from tests.transports.test_hostile_sources import FACTS, listed_by_ftp, tried
from tests.transports.test_imports import Pulling, pulling

__all__ = ["api", "pulling", "pulls"]

MakePolicy = Callable[..., TransferPolicy]
Outcome = tuple[str, bool, str, str | None, int]
FINE: Outcome = ("read", True, "finished", None, 0)
DIGITS = "1" * 5_000  # more than Python makes a number of


def nonsense(step: str) -> Outcome:
    return (step, False, "failed", f"source_{step}", 0)


async def outcome(api: httpx.AsyncClient, pulling: Pulling, remote: Remote) -> Outcome:
    """How a trial ends (its last step, whether that went well), and how an import does (state, code, crashes)."""
    step = await tried(api, remote, "a.csv")
    run = await pulling.finish(await pulling.start(remote, "a.csv"))
    return step["step"], step["ok"], run.state, run.fail_code, run.crashes


def long_range(asked: Asked) -> bytes:
    """HEAD is refused, so a byte is asked for: it is one of a file of endless length."""
    headers = f"Content-Range: bytes 0-0/{DIGITS}"
    return reply(status=405) if asked.method == "HEAD" else reply(headers, status=206, body=b"_")


@pytest.mark.parametrize(
    ("place_at", "answer", "expected"),
    [
        (web_at, gives(FILE, "Last-Modified: Mon, 01 Jan 99999999999999999999 00:00:00 GMT"), FINE),
        (web_at, long_range, nonsense("find")),
        (s3_at, gives(FILE), nonsense("find")),
        (s3_at, gives(FILE, "ETag: a"), FINE),
        (s3_at, gives(FILE, "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT"), nonsense("find")),
        (s3_at, gives(FILE, "ETag: a", "Last-Modified: yesterday"), nonsense("find")),
    ],
    ids=["no such year", "no such range", "s3 alone", "s3 without a date", "s3 without a tag", "s3 no such date"],
)
async def test_odd_headers_break_nothing(
    api: httpx.AsyncClient, pulling: Pulling, place_at: Callable[[int], Remote], answer: Answer, expected: Outcome
) -> None:
    async with raw_web(answer) as port:
        assert await outcome(api, pulling, place_at(port)) == expected


async def test_an_odd_name_of_a_host_breaks_nothing(api: httpx.AsyncClient, pulling: Pulling) -> None:
    assert await outcome(api, pulling, web_at(8099, "xn--a")) == nonsense("address")


async def test_a_size_that_is_not_a_number_is_reported_for_a_bucket(api: httpx.AsyncClient) -> None:
    async with raw_web(lambda _: page("a.csv", size="many")) as port:
        step = await tried(api, s3_at(port), "*.csv")
    assert (step["step"], step["ok"]) == ("find", False)


async def test_a_size_that_is_not_a_number_leaves_a_file_out_of_a_list(patient: MakePolicy) -> None:
    listing = f"Type=file;Size={DIGITS}; a.csv\r\nType=file;Size=1; b.csv\r\n"
    assert await listed_by_ftp(listing.encode(), "*.csv", patient()) == ["b.csv"]


async def test_a_size_that_is_not_a_number_breaks_no_import(api: httpx.AsyncClient, pulling: Pulling) -> None:
    listing = f"Type=file;Size={DIGITS}; a.csv\r\n"
    async with Script({"MLSD": listing.encode()}, dict(FACTS)).running() as script:
        assert await outcome(api, pulling, Remote("ftp", "127.0.0.1", script.port)) == nonsense("find")


async def test_a_web_address_may_be_long(
    web: HttpServer, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    path = "a.csv?token=" + "T" * 1_500
    await web.store(path, FILE)
    source = {"transport": "https", "url": f"https://127.0.0.1:{web.remote.port}/{path}"}
    source |= {"username": USER, "password": PASSWORD}
    accepted = await api.post("/imports", json=PARTS | {"source": source})
    assert accepted.status_code == 201, accepted.text
    await finish(pulls, accepted.json()["id"])
    ended = (await api.get(f"/imports/{accepted.json()['id']}")).json()
    assert (ended["status"], ended["created"]) == ("finished", 2)


async def test_an_unknown_encoding_is_refused_at_once(api: httpx.AsyncClient) -> None:
    remote = {"transport": "http", "host": "a.example.com"}
    own = f"/connections/{(await made(api, remote | {'name': 'x'}))['id']}/imports"
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        (own, {"type": "contacts", "path": "/a.csv"}),
        ("/imports", PARTS | {"source": remote | {"path": "/a.csv"}}),
    )
    for where, wish in asked:
        answer = await api.post(where, json=wish | {"encoding": "klingon"})
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "encoding"), where


@pytest.mark.parametrize("folder", ["in/*", "a\nb", "x" * 1_100], ids=["pattern", "control", "long"])
async def test_a_folder_that_cannot_be_written_to_is_reported(api: httpx.AsyncClient, folder: str) -> None:
    connection = await made(api, body(web_at(8099)))
    answer = await api.post(f"/connections/{connection['id']}/test-export", json={"path": folder})
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 200:
        assert (answer.json()["ok"], answer.json()["steps"][0]["step"]) == (False, "address")
