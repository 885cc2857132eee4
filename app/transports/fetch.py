"""Fetches a file over any protocol: complete, unchanged while it was read, within limits, resumed if it breaks off."""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from app.transports import connect
from app.transports.failed import TransportFailed, failure
from app.transports.transport import FileInfo, Remote, TransferPolicy, Transport, retry_delay, time_limit


class ByteSink(Protocol):
    """Where the bytes go. What was written is valid only after `fetch` has returned."""

    async def begin(self, file: FileInfo) -> None:
        """Learns what the server says of the file, before its first byte."""

    async def write(self, data: bytes) -> None: ...

    async def start_over(self) -> None:
        """Discards everything that was written: the file has changed."""


@dataclass(slots=True)
class Download:
    """The progress of one file, over several connections."""

    path: str
    policy: TransferPolicy
    sink: ByteSink
    seen: FileInfo | None = None  # the version of the file that the bytes belong to
    size: int = 0  # bytes so far
    by_content: bool = False  # the headers say that the file changes all the time, so its bytes are compared
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    earlier_digest: bytes | None = None  # of the last complete read with headers that changed

    async def continue_over(self, transport: Transport, before: FileInfo) -> FileInfo:
        """Reads the rest of the file, which is `before` now. What was read is kept if this fails."""
        if before.size is not None and before.size > self.policy.limit:
            raise failure("too_large")
        if self.size and not self._can_resume(before):
            await self.start_over()
        self.seen = before
        if not self.size:
            await self.sink.begin(before)
        if before.size is None or self.size < before.size or not self.size:
            await self._read_rest(transport, before)
        async with time_limit(self.policy.opening_seconds, "no_answer"):
            after = await transport.stat(self.path)
        if before.differs(after) and not self._has_same_bytes_again(before, after):
            raise failure("changed")
        if before.size is not None and self.size != before.size:
            raise failure("wrong_length")
        return after

    async def start_over(self) -> None:
        self.seen, self.size, self.digest = None, 0, hashlib.sha256()
        await self.sink.start_over()

    def _has_same_bytes_again(self, before: FileInfo, after: FileInfo) -> bool:
        """Whether two complete reads gave the same bytes: then the file has not changed, whatever its headers say.
        Servers that make a file for each request send a new time or tag with each."""
        if None not in (before.size, after.size) and before.size != after.size:
            return False
        earlier, self.earlier_digest = self.earlier_digest, self.digest.digest()
        return earlier == self.earlier_digest

    def _can_resume(self, now: FileInfo) -> bool:
        """Whether the bytes read so far are certainly the beginning of the file as it is now."""
        seen = self.seen
        if seen is None or seen.weak or now.weak or seen.differs(now):
            return False
        return None not in (seen.tag, now.tag) or None not in (seen.modified, now.modified)

    async def _read_rest(self, transport: Transport, file: FileInfo) -> None:
        expected = None if self.by_content and not self.size else file
        async with (
            aclosing(transport.read(self.path, offset=self.size, expected=expected)) as arriving,
            aclosing(keep_pace(arriving, self.policy)) as pieces,
        ):
            async for piece in pieces:
                if self.size + len(piece) > self.policy.limit:
                    raise failure("too_large")
                await self.sink.write(piece)
                self.digest.update(piece)
                self.size += len(piece)


async def keep_pace(pieces: AsyncIterator[bytes], policy: TransferPolicy) -> AsyncGenerator[bytes, None]:
    """The same pieces. Raises failure("crawling") if the other server sends fewer than `least_speed` bytes a second for
    `pace_seconds`; the time that the receiver takes is not counted."""
    waited, received, asked = 0.0, 0, time.monotonic()
    async for piece in pieces:
        waited += time.monotonic() - asked
        received += len(piece)
        if waited >= policy.pace_seconds:
            if received < policy.least_speed * waited:
                raise failure("crawling")
            waited, received = 0.0, 0
        yield piece
        asked = time.monotonic()


async def fetch(remote: Remote, path: str, policy: TransferPolicy, sink: ByteSink) -> FileInfo:
    """Fetches a file into `sink` and returns its description. Raises TransportFailed, also at a limit of `policy`."""
    async with time_limit(policy.total_seconds, "too_slow"):
        return await download_with_retries(remote, Download(path, policy, sink))


async def download_with_retries(remote: Remote, download: Download) -> FileInfo:
    for attempt in range(1, download.policy.tries):
        try:
            return await download_once(remote, download)
        except TransportFailed as failed:
            # A server that crawls gives its slot to somebody else before it is tried again.
            if not failed.transient or failed.reason == "crawling":
                raise
            if failed.reason in {"changed", "wrong_length"}:
                download.by_content = True
                await download.start_over()
        await asyncio.sleep(retry_delay(attempt))
    return await download_once(remote, download)


async def download_once(remote: Remote, download: Download) -> FileInfo:
    async with (
        time_limit(download.policy.opening_seconds, "no_answer") as opening,
        connect(remote, download.policy) as transport,
    ):
        before = await transport.stat(download.path)
        opening.reschedule(None)
        return await download.continue_over(transport, before)
