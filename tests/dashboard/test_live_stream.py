"""The stream of a page: what it sends, when it ends, and what it leaves when its reader goes."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest

from app.dashboard.live import stream
from app.dashboard.live.page import Moment
from app.dashboard.live.stream import END, LOST, follow, format_regions
from app.errors import Refused
from app.storage.database import DatabaseUnavailable

HOLDERS = ("session", "person")


class Told:
    """A page that looks like each of these in turn."""

    def __init__(self, *moments: Moment | Exception) -> None:
        self.moments: Iterator[Moment | Exception] = iter(moments)

    async def read(self) -> Moment:
        moment = next(self.moments)
        if isinstance(moment, Exception):
            raise moment
        return moment


async def still_in() -> bool:
    return True


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOVING_SECONDS", 0.001)
    monkeypatch.setattr(stream, "STILL_SECONDS", 0.002)


async def events(page: Told, streams: Counter[str] | None = None) -> list[bytes]:
    return [each async for each in follow(page, asyncio.Event(), still_in, streams or Counter(), HOLDERS)]


async def test_only_what_changed_is_sent_until_the_page_has_ended() -> None:
    first = Moment({"a": "<p>1</p>", "b": "<p>x\ny</p>"}, moves=True)
    last = Moment({"a": "<p>2</p>", "b": "<p>x\ny</p>"}, moves=False, ended=True)
    sent = await events(Told(first, first, DatabaseUnavailable("away"), last))
    assert sent == [format_regions(first.regions), format_regions({"a": "<p>2</p>"}), END]
    assert b"data: <p>1</p><p>x\ndata: y</p>\n" in sent[0]


async def test_a_page_that_is_gone_and_a_session_that_is_over_are_lost() -> None:
    moves = Moment({"a": "1"}, moves=False)
    assert await events(Told(moves, Refused("gone", "It was deleted"))) == [format_regions({"a": "1"}), LOST]

    async def signed_out() -> bool:
        return False

    forever = Told(*[moves] * 100)
    sent = [each async for each in follow(forever, asyncio.Event(), signed_out, Counter(), HOLDERS)]
    assert sent == [format_regions({"a": "1"}), LOST]


async def test_a_stream_ends_when_the_process_stops_and_counts_until_then() -> None:
    stopping, streams = asyncio.Event(), Counter[str]()
    following = follow(Told(*[Moment({"a": "1"}, moves=True)] * 10_000), stopping, still_in, streams, HOLDERS)
    assert await anext(following) == format_regions({"a": "1"})
    assert streams == {"session": 1, "person": 1}
    stopping.set()
    assert [each async for each in following] == []
    assert streams == {}


@pytest.mark.parametrize("full", [{"session": 4, "person": 4}, {"other": 4, "person": 12}])
async def test_one_stream_too_many_is_lost_also_if_it_was_let_in(full: dict[str, int]) -> None:
    streams = Counter(full)
    assert await events(Told(Moment({"a": "1"}, moves=False, ended=True)), streams) == [LOST]
    assert streams == full
