"""A request that is to start something once: claims its key, keeps its answer, and gives it again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.errors import Refused
from app.imports.sources.incoming import too_large
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.database import DatabaseUnavailable, ReadSession, Session
from app.storage.idempotency import keys
from app.web.bodies.arrival import WATCHER, body_chunks
from app.web.bodies.upload import longest_body
from app.web.once.fingerprint import Fingerprint
from app.web.requests import request_id

# The answer to a request that has started these runs, made in the transaction that stores them.
Render = Callable[[Request, Runtime, ReadSession, Sequence[Run]], Awaitable[Response]]

REPLAYED: Final = {"Idempotent-Replayed": "true"}
RETRY_SECONDS: Final = 2
AT_WORK: Final = "The first request with this `Idempotency-Key` is still at work. Send it again later to get its answer"
REUSED: Final = "The content of this request differs from that of the first request with the same `Idempotency-Key`"


class OnceRequest:
    """One request with an idempotency key."""

    def __init__(self, request: Request, runtime: Runtime, caller: Caller, key: str, render: Render) -> None:
        self._request, self._runtime, self._render = request, runtime, render
        self._of = (caller.account_id, key)
        self._claim = request_id(request)
        self._fingerprint = Fingerprint(request)
        request.scope[WATCHER] = self._fingerprint
        self.answer: Response | None = None  # that is kept

    async def find_answer(self) -> Response | None:
        """The answer that the first request with the key got, if this one has the same content; None if this is the
        first one. Then the key is claimed. Raises Refused: idempotency_key_in_use, idempotency_key_reused, and as
        `body_chunks` does."""
        async with self._runtime.database.transaction() as session:
            if await keys.claim(session, *self._of, self._claim):
                return None
            row = await keys.get(session, *self._of)
        if row is None or row["status"] is None:
            raise Refused("idempotency_key_in_use", AT_WORK, retry_after=RETRY_SECONDS)
        await self.read_body()
        if row["fingerprint"] != self._fingerprint.digest():
            raise Refused("idempotency_key_reused", REUSED)
        return Response(row["body"], row["status"], {**row["headers"], **REPLAYED})

    async def read_body(self) -> None:
        """Reads the body for its fingerprint alone: nothing of it is stored. Raises Refused("too_large"), and as
        `body_chunks` does."""
        settings, received = self._runtime.settings, 0
        async for chunk in body_chunks(self._request, idle=settings.upload_idle_seconds):
            received += len(chunk)
            if received > longest_body(settings):
                raise too_large(settings.max_file_bytes)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Keeps the claim for as long as the block lasts, and lets go of it if there is no answer then."""
        renewing, answered = asyncio.create_task(self._renew()), False
        try:
            yield
            answered = self.answer is not None
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing
            if not answered:
                await self._release()

    async def keep(self, session: Session, runs: Sequence[Run]) -> None:
        """Keeps the answer. Raises Refused("idempotency_key_in_use") if another request has got the key meanwhile: this
        one has taken so long that it was given up."""
        answer = await self._render(self._request, self._runtime, session, runs)
        kept = {"fingerprint": self._fingerprint.digest(), "status": answer.status_code, "body": bytes(answer.body)}
        headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
        if not await keys.keep(session, *self._of, self._claim, {**kept, "headers": headers}):
            raise Refused("idempotency_key_in_use", AT_WORK, retry_after=RETRY_SECONDS)
        self.answer = answer

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(keys.CLAIM_SECONDS / 3)
            with suppress(DatabaseUnavailable):
                async with self._runtime.database.transaction() as session:
                    await keys.renew(session, *self._of, self._claim)

    async def _release(self) -> None:
        """A key with an answer stays. If the database is away, the claim ends by itself."""
        with suppress(DatabaseUnavailable):
            async with self._runtime.database.transaction() as session:
                await keys.release(session, *self._of, self._claim)
