"""A client of an account whose service may call the servers of the tests."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from app.runtime import Runtime
from app.transports.transport import TransferPolicy
from tests.support.http import Account, app_on, client_of
from tests.transports.servers.server import Certificates, policy


@pytest.fixture
def calls(certificates: Certificates) -> TransferPolicy:
    """A policy that trusts the servers of the tests."""
    return policy(tls=certificates.client())


@pytest.fixture
async def calling(runtime: Runtime, calls: TransferPolicy) -> Runtime:
    """A runtime that may call the servers of the tests."""
    return replace(runtime, transfer_policy=calls)


@pytest.fixture
async def outward(calling: Runtime, an_account: Account) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `an_account` on that runtime."""
    async with client_of(app_on(calling)) as client:
        client.headers.update(an_account.headers)
        yield client
