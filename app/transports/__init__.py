"""The room that speaks with other servers: fetching files from them and bringing files to them.

Each protocol is one folder with `connected(place, terms)`, an async context manager that gives a `Transport`, and one
row of TRANSPORTS. Nothing is dialled that `guard` has not checked.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

from app.transports.target import checked_port
from app.transports.transport import Place, Terms, Transport

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
async def connected(place: Place, terms: Terms) -> AsyncIterator[Transport]:
    """An open connection; every failure on the way is a TransportFailed."""
    checked_port(place.scheme, place.port)
    protocol = import_module(TRANSPORTS[place.scheme])
    async with protocol.connected(place, terms) as transport:
        yield transport
