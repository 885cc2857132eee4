"""What a worker does on a database that newer releases use, while it runs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from app.observe import Observer
from app.observe.events import Event
from app.observe.process_events import NewerRunsLeftAlone, SchemaNotUsable
from app.runtime import Runtime
from app.storage.database import PLAN_VERSION, newest_migration
from tests.conftest import NewAccount
from tests.support.http import app_on, client_of, post
from workers.housekeeping import Duty, keep_doing, watch


async def sql(runtime: Runtime, statement: str, **values: object) -> None:
    async with runtime.database.transaction() as session:
        await session.execute(text(statement), values)


@pytest.fixture
async def schema_of_a_newer_release(runtime: Runtime) -> AsyncIterator[None]:
    """One that has taken away what this release needs."""
    await sql(runtime, "UPDATE schema_compat SET oldest = '9999'")
    await sql(runtime, "UPDATE alembic_version SET version_num = '9999'")
    yield
    await sql(runtime, "UPDATE schema_compat SET oldest = '0003'")
    await sql(runtime, "UPDATE alembic_version SET version_num = :newest", newest=newest_migration())


class Listener(Observer):
    """Remembers what is observed."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)


async def what_is_said(runtime: Runtime) -> list[Event]:
    listener = Listener()
    await watch(replace(runtime, observe=listener), "")
    return listener.events


@pytest.mark.usefixtures("schema_of_a_newer_release")
async def test_on_a_schema_that_is_too_new_a_worker_says_so_and_does_no_duty(runtime: Runtime) -> None:
    done: list[str] = []

    async def note(_runtime: Runtime, worker: str) -> None:
        done.append(worker)

    on_schema, off_schema = (
        asyncio.create_task(keep_doing(runtime, name, Duty(name, 0.01, note, on_schema=name == "sweeps")))
        for name in ("sweeps", "beats")
    )
    while len(done) < 3:
        await asyncio.sleep(0.01)
    for task in (on_schema, off_schema):
        task.cancel()
    assert set(done) == {"beats"}
    (said,) = await what_is_said(runtime)
    assert isinstance(said, SchemaNotUsable)
    assert said.reason.startswith("The database has schema 9999, which is too new for this version")


async def test_imports_of_a_newer_release_are_counted_in_the_log(runtime: Runtime, a_key: NewAccount) -> None:
    assert await what_is_said(runtime) == []
    async with client_of(app_on(runtime)) as client:
        run = (await post(client, await a_key())).json()["id"]
    await sql(runtime, "UPDATE runs SET plan_version = :newer WHERE id = :id", newer=PLAN_VERSION + 1, id=run)
    said = await what_is_said(runtime)
    await sql(runtime, "UPDATE runs SET plan_version = :ours WHERE id = :id", ours=PLAN_VERSION, id=run)
    assert said == [NewerRunsLeftAlone(1)]
