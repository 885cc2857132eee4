"""Sends files and other long answers, a few of an account at a time: clients may read them as slowly as they like."""

from collections.abc import AsyncIterator, Mapping
from typing import Final

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.errors import Refused
from app.runs.model import AccountId
from app.runtime import Runtime
from app.under_way import counting

MOST_DOWNLOADS: Final = 8  # of an account, from one process; each holds up to 5 MB
RETRY_SECONDS: Final = 5
CSV: Final = "text/csv; charset=utf-8"
JSON_LINES: Final = "application/jsonl; charset=utf-8"


def ensure_few_downloads(runtime: Runtime, account_id: int) -> None:
    """Raises Refused("too_many_reads"). Call it before anything of the answer is held."""
    if runtime.under_way.downloads[account_id] >= MOST_DOWNLOADS:
        detail = f"{MOST_DOWNLOADS} downloads of this account are under way. Wait until one of them has ended"
        raise Refused("too_many_reads", detail, retry_after=RETRY_SECONDS)


class CountedStream(StreamingResponse):
    """A long answer, which counts as under way until it is sent or its client is gone. One too many is
    refused: requests that come at once are all let in before any of them counts."""

    def __init__(
        self,
        runtime: Runtime,
        account_id: AccountId,
        content: AsyncIterator[bytes],
        *,
        media_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(content, headers=headers, media_type=media_type)
        self._runtime, self._account_id = runtime, account_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ensure_few_downloads(self._runtime, self._account_id)
        with counting(self._runtime.under_way.downloads, self._account_id):
            await super().__call__(scope, receive, send)


class FileDownload(CountedStream):
    """A file that is made while it is sent, CSV unless its `media_type` is another."""

    def __init__(
        self,
        runtime: Runtime,
        account_id: AccountId,
        rows: AsyncIterator[bytes],
        name: str,
        *,
        media_type: str = CSV,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        named = {"Content-Disposition": f'attachment; filename="{name}"'}
        super().__init__(runtime, account_id, rows, media_type=media_type, headers={**named, **(headers or {})})
