"""Transports fetch files from other servers and deliver files to them.

Each protocol is a folder with `connect(remote, policy)`, an async context manager that yields a `Transport`, and a row
of TRANSPORTS. No address is dialled that `guard` has not checked.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module

from app.transports.transport import HttpAnswer, Remote, TransferPolicy, Transport
from app.transports.url import validate_port

# A protocol is loaded on first use: together the clients take 47 MB, and an API process may never need one.
TRANSPORTS: dict[str, str] = {
    "http": "app.transports.http",
    "https": "app.transports.http",
    "ftp": "app.transports.ftp",
    "ftps": "app.transports.ftp",
    "sftp": "app.transports.sftp",
    "s3": "app.transports.s3",
}


@asynccontextmanager
async def connect(remote: Remote, policy: TransferPolicy) -> AsyncIterator[Transport]:
    """Opens a connection. Every failure, also of the block, is a TransportFailed."""
    validate_port(remote.scheme, remote.port)
    protocol = import_module(TRANSPORTS[remote.scheme])
    async with protocol.connect(remote, policy) as transport:
        yield transport


async def post(
    url: str, body: bytes, headers: Mapping[str, str], policy: TransferPolicy, *, seconds: float
) -> HttpAnswer:
    """Sends one small body to a web server: app.transports.http.post. Raises TransportFailed, Exhausted."""
    answer: HttpAnswer = await import_module("app.transports.http.post").post(
        url, body, headers, policy, seconds=seconds
    )
    return answer
