"""The operator of the service, who administers accounts with a key of their own."""

from collections.abc import Mapping

import pytest

from app.auth.operators import create_operator_key
from app.runtime import Runtime
from tests.support.servers import PEPPER


@pytest.fixture
async def operator(runtime: Runtime) -> Mapping[str, str]:
    """The headers of a request with an operator's key."""
    async with runtime.database.transaction() as session:
        key = await create_operator_key(session, label="tests", days=None, pepper=PEPPER)
    return {"Authorization": f"apiKey {key}"}
