"""The one way to fetch a file, whatever protocol it comes by: whole, unchanged, within limits, resumed if it breaks."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from app.transports import connected
from app.transports.failed import TransportFailed, failure
from app.transports.transport import Entry, Remote, Terms, Transport, pause, within


class Sink(Protocol):
    """Where the bytes go. What was written counts only after `fetch` has returned."""

    async def write(self, data: bytes) -> None: ...

    async def begin_again(self) -> None:
        """Forgets everything that was written: the file is another one by now."""


@dataclass(slots=True)
class Fetching:
    """How far a file has come, over several connections."""

    path: str
    terms: Terms
    sink: Sink
    seen: Entry | None = None  # the state of the file that the bytes taken belong to
    taken: int = 0

    async def once(self, transport: Transport) -> Entry:
        """Takes the rest of the file; what it took stays when it fails."""
        before = await transport.stat(self.path)
        if before.size is not None and before.size > self.terms.limit:
            raise failure("too_large")
        if self.taken and not self._goes_on(before):
            await self.start_over()
        self.seen = before
        if before.size is None or self.taken < before.size or not self.taken:
            await self._take(transport, before)
        after = await transport.stat(self.path)
        if before.differs(after):
            raise failure("changed")
        if before.size is not None and self.taken != before.size:
            raise failure("wrong_length")
        return after

    async def start_over(self) -> None:
        self.seen, self.taken = None, 0
        await self.sink.begin_again()

    def _goes_on(self, now: Entry) -> bool:
        """Whether the bytes taken are surely the beginning of what is there now."""
        seen = self.seen
        if seen is None or seen.differs(now):
            return False
        return None not in (seen.tag, now.tag) or None not in (seen.modified, now.modified)

    async def _take(self, transport: Transport, entry: Entry) -> None:
        async with aclosing(transport.read(self.path, offset=self.taken, expected=entry)) as pieces:
            async for piece in pieces:
                if self.taken + len(piece) > self.terms.limit:
                    raise failure("too_large")
                await self.sink.write(piece)
                self.taken += len(piece)


async def fetch(remote: Remote, path: str, terms: Terms, sink: Sink) -> Entry:
    """Brings a file into `sink` and says what it was; TransportFailed when `terms` do not suffice."""
    async with within(terms.total_seconds, "too_slow"):
        return await in_tries(remote, Fetching(path, terms, sink))


async def in_tries(remote: Remote, fetching: Fetching) -> Entry:
    for attempt in range(1, fetching.terms.tries):
        try:
            return await one_try(remote, fetching)
        except TransportFailed as failed:
            if not failed.passing:
                raise
            if failed.reason in {"changed", "wrong_length"}:
                await fetching.start_over()
        await asyncio.sleep(pause(attempt))
    return await one_try(remote, fetching)


async def one_try(remote: Remote, fetching: Fetching) -> Entry:
    async with connected(remote, fetching.terms) as transport:
        return await fetching.once(transport)
