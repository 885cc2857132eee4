"""Sends one small body to a web server, and reads its answer no further than it has to."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from app.transports.failed import TransportFailed
from app.transports.http.sockets import CheckedTransport, translate_errors
from app.transports.transport import HttpAnswer, TransferPolicy, time_limit
from app.transports.url import parse_server_url

ANSWER_BYTES: Final = 65_536  # of an answer that are read, so that its sender is not cut off; none of them is kept
ANSWER_SECONDS: Final = 2.0  # for the same


async def post(
    url: str, body: bytes, headers: Mapping[str, str], policy: TransferPolicy, *, seconds: float
) -> HttpAnswer:
    """Posts a body within so many seconds, from the lookup to the head of the answer. Redirects are not followed.
    Raises TransportFailed, Exhausted."""
    target = parse_server_url(url)
    client = httpx.AsyncClient(transport=CheckedTransport(policy), trust_env=False, timeout=seconds)
    async with client:
        with translate_errors():
            address = httpx.URL(
                scheme=target.scheme, host=target.host, port=target.port, raw_path=target.path.encode("ascii")
            )
            request = client.build_request("POST", address, content=body, headers=dict(headers))
            async with time_limit(seconds):
                answer = await client.send(request, stream=True)
        try:
            await read_on(answer)
        finally:
            await answer.aclose()
    return HttpAnswer(answer.status_code, read_retry_after(answer.headers.get("retry-after", "")))


async def read_on(answer: httpx.Response) -> None:
    """The status counts, whatever becomes of the rest."""
    with suppress(TransportFailed), translate_errors():
        async with time_limit(ANSWER_SECONDS):
            await skim(answer)


async def skim(answer: httpx.Response) -> None:
    read = 0
    async for piece in answer.aiter_raw():
        read += len(piece)
        if read >= ANSWER_BYTES:
            return


def read_retry_after(text: str) -> float | None:
    """A number of seconds or a moment (RFC 9110 §10.2.3)."""
    if text.isdecimal() and len(text) <= 9:
        return float(text)
    with suppress(ValueError, TypeError, OverflowError):
        moment = parsedate_to_datetime(text)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment.tzinfo else None
    return None
