"""The room that speaks with other servers: fetching files from them and bringing files to them.

Each protocol is one folder with `connected(remote, terms)`, an async context manager that gives a `Transport`, and one
row of TRANSPORTS. Nothing is dialled that `guard` has not checked.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from app.transports.transport import Remote, Terms, Transport
from app.transports.url import checked_port

# Loaded when it is first spoken: together the clients take 47 MB, and an API process may never need one.
TRANSPORTS: dict[str, str] = {
    "http": "app.transports.http",
    "https": "app.transports.http",
    "ftp": "app.transports.ftp",
    "ftps": "app.transports.ftp",
    "sftp": "app.transports.sftp",
    "s3": "app.transports.s3",
}


@asynccontextmanager
async def connected(remote: Remote, terms: Terms) -> AsyncIterator[Transport]:
    """An open connection; every failure on the way is a TransportFailed."""
    checked_port(remote.scheme, remote.port)
    protocol = import_module(TRANSPORTS[remote.scheme])
    async with protocol.connected(remote, terms) as transport:
        yield transport
