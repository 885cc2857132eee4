"""What the audit log of an account tells, as its rows are."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select

from app.runtime import Runtime
from app.storage.audit.tables import audit_log

Deeds = Callable[..., Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def deeds(runtime: Runtime) -> Deeds:
    """Reads the rows of an account, the oldest first: deeds(account.id, after=id of a row)."""

    async def read(account_id: int | None, after: int = 0) -> list[dict[str, Any]]:
        noted = select(audit_log).where(audit_log.c.account_id.is_not_distinct_from(account_id))
        async with runtime.database.read() as session:
            found = await session.execute(noted.where(audit_log.c.id > after).order_by(audit_log.c.id))
            return [dict(each) for each in found.mappings()]

    return read
