"""Servers of every protocol, started once and emptied for each test."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from app.transports.transport import TransferPolicy
from tests.support.sweeps import few
from tests.transports.servers.ftp import FtpServer, ftp_server
from tests.transports.servers.http import http_server
from tests.transports.servers.s3 import s3_server
from tests.transports.servers.server import Certificates, Server, policy
from tests.transports.servers.sftp import sftp_server

# A protocol joins the conformance tests with one row here.
SERVERS: dict[str, Callable[[Certificates], AbstractAsyncContextManager[Server]]] = {
    "http": lambda _: http_server(None),
    "https": http_server,
    "s3": s3_server,
    "ftp": lambda certificates: ftp_server("none", certificates),
    "ftps-explicit": lambda certificates: ftp_server("explicit", certificates),
    "ftps-implicit": lambda certificates: ftp_server("implicit", certificates),
    "sftp": lambda _: sftp_server(),
}
# What the others do differently is little: each is in every run with some tests of its own.
QUICK = ("https", "s3", "ftps-explicit", "sftp")


@pytest.fixture(scope="session")
def patient(certificates: Certificates) -> Callable[..., TransferPolicy]:
    """Makes a policy that trusts the servers of the tests: patient(idle_seconds=1)."""
    trusted = certificates.client()
    return lambda **others: policy(**{"tls": trusted, **others})


@pytest.fixture(scope="session", params=few(SERVERS, QUICK))
async def any_server(request: pytest.FixtureRequest, certificates: Certificates) -> AsyncIterator[Server]:
    async with SERVERS[request.param](certificates) as running:
        yield running


@pytest.fixture(scope="module")
async def running_ftp(certificates: Certificates) -> AsyncIterator[FtpServer]:
    async with ftp_server("none", certificates) as running:
        yield running


@pytest.fixture
async def server(any_server: Server) -> Server:
    """A server of each protocol in turn, empty and whole."""
    await any_server.clear()
    return any_server


@pytest.fixture
def writes(server: Server) -> None:
    """Skips a test of writing on servers whose protocol cannot."""
    if not server.writes:
        pytest.skip("takes no files")


@pytest.fixture
async def web(certificates: Certificates) -> AsyncIterator[Any]:
    """A web server with https of this test alone."""
    async with http_server(certificates) as running:
        yield running
