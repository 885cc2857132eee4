"""One read for all who wait: what many ask for within a few milliseconds, each by a key, is read together."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Generic, TypeAlias, TypeVar

Session = TypeVar("Session")
Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")
# Reads what there is under any number of keys, by key.
ReadByKey: TypeAlias = Callable[[Session, Collection[Key]], Awaitable[Mapping[Key, Found]]]

MOST_KEYS: Final = 50  # in one read
FEW_KEYS: Final = 5  # in one that takes a statement for each: who asks waits for those of strangers
PATIENCE_SECONDS: Final = 0.1  # a read that takes longer does not hold up those who come after it


class SharedReads(Generic[Session, Key, Found]):
    """Calls `read` with a session of its own and with the keys that are asked for at the time.

    Requests that come while a read is under way share the next one. So each read begins after all requests that it
    answers, and never answers with something older than the request. Nothing is cached."""

    def __init__(
        self,
        open_session: Callable[[], AbstractAsyncContextManager[Session]],
        read: ReadByKey[Session, Key, Found],
        most: int = MOST_KEYS,
    ) -> None:
        """`most` keys are in one call."""
        self._open_session = open_session
        self._read = read
        self._most = most
        self._asked: dict[Key, list[asyncio.Future[Found | None]]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._reads: set[asyncio.Task[None]] = set()  # an event loop forgets tasks that nobody holds

    async def get(self, key: Key) -> Found | None:
        """What is found under the key; None if nothing is. Raises what `read` raises."""
        answer: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(key, []).append(answer)
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read_while_asked())
        return await answer

    async def _read_while_asked(self) -> None:
        while self._asked:
            asked = {key: self._asked.pop(key) for key in list(self._asked)[: self._most]}
            read = asyncio.create_task(self._read_for(asked))
            self._reads.add(read)
            read.add_done_callback(self._reads.discard)
            await asyncio.wait((read,), timeout=PATIENCE_SECONDS)

    async def _read_for(self, asked: Mapping[Key, list[asyncio.Future[Found | None]]]) -> None:
        found, failure = dict[Key, Found](), None
        try:
            async with self._open_session() as session:
                found.update(await self._read(session, asked.keys()))
        except Exception as error:  # noqa: BLE001  those who have asked report it, as they would their own
            failure = error
        for key, answers in asked.items():
            for answer in answers:
                if answer.done():  # its client is gone
                    continue
                if failure is None:
                    answer.set_result(found.get(key))
                else:
                    answer.set_exception(failure)
