"""Sessions that share a snapshot of the database."""

import pytest
from sqlalchemy import text

from app.runtime import Runtime
from app.storage.database import DatabaseUnavailable
from app.storage.exports.snapshot import open_snapshot, share_snapshot


async def test_two_sessions_see_the_same_moment(runtime: Runtime) -> None:
    count = text("SELECT count(*) FROM accounts WHERE name = 'later'")
    async with open_snapshot(runtime.database) as session:
        shared = await share_snapshot(session)
        async with runtime.database.transaction() as other:
            await other.execute(text("INSERT INTO accounts (name, created_at) VALUES ('later', now())"))
        async with open_snapshot(runtime.database, shared) as second:
            assert (await second.execute(count)).scalar_one() == 0
    async with open_snapshot(runtime.database) as session:
        assert (await session.execute(count)).scalar_one() == 1


async def test_a_snapshot_whose_session_has_ended_is_trouble_of_the_database(runtime: Runtime) -> None:
    """As after a restart of PostgreSQL: the export is put off, and that is no crash of its worker."""
    async with open_snapshot(runtime.database) as session:
        shared = await share_snapshot(session)
    with pytest.raises(DatabaseUnavailable):
        async with open_snapshot(runtime.database, shared):
            pass
