"""Item syncs on an account that nobody else uses."""

import pytest

from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.access import accounts
from tests.support.item_syncs import SyncEngine


@pytest.fixture
async def syncs(runtime: Runtime, request: pytest.FixtureRequest) -> SyncEngine:
    async with runtime.database.transaction() as session:
        return SyncEngine(runtime, AccountId(await accounts.account_named(session, request.node.nodeid)))
