"""Runs of item syncs whose files are there already: no server, no fetching, no queue."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import text

from app.runs.acceptance import accept_run
from app.runs.changes.undoable import UNDOABLE
from app.runs.holding.brakes import Brakes
from app.runs.holding.held import ACCEPTED
from app.runs.kinds import Kind, Step
from app.runs.lifecycle import work_on
from app.runs.model import AccountId, Run, RunId, new_run_id, run_from
from app.runs.states import HELD, State, states_before
from app.runtime import Runtime
from app.storage import claims, records, runs
from app.storage.access import accounts
from app.storage.syncs import files as stored_files
from app.syncs.engine import work
from app.syncs.files import Role
from app.syncs.report import FileReport, SyncReport, report_to_json
from app.syncs.settings import SyncSettings, settings_to_json
from app.syncs.steps import DRY_RUN, SETTINGS

Files = Mapping[str, str]  # text by name


class SyncEngine:
    """One account, and what can be done with its syncs."""

    def __init__(self, runtime: Runtime, account_id: AccountId) -> None:
        self.runtime, self.account_id = runtime, account_id

    def with_settings(self, **values: object) -> "SyncEngine":
        settings = self.runtime.settings.model_copy(update=values)
        return SyncEngine(replace(self.runtime, settings=settings), self.account_id)

    async def submit(
        self,
        items: Files | str = (),
        filters: Files | str = (),
        *,
        dry_run: bool = False,
        images: bytes | None = None,
        **settings: Any,
    ) -> Run:
        """A run whose files have been fetched. Text is that of a single file, and `images` a ZIP."""
        run_id, given = new_run_id(), SyncSettings(images_only_from_pim=images is None, **settings)
        files = [*name_files(Role.ITEMS, "/items/", items), *name_files(Role.FILTERS, "/itemfilters/", filters)]
        files += [] if images is None else [(Role.IMAGES, given.images_path, images)]
        reports = [
            FileReport(role=role, path=path, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
            for role, path, data in files
        ]
        options = {SETTINGS: settings_to_json(given), DRY_RUN: dry_run, UNDOABLE: True}
        values = {
            "id": run_id, "sync_id": new_run_id(), "type": "items", "origin": "native", "request_id": "", "plan": {},
            "file_bytes": 0, "file_sha256": "", "options": options,
            "report": report_to_json(SyncReport(files=reports)),
        }  # fmt: skip
        async with self.runtime.database.transaction() as session:
            await accounts.lock(session, self.account_id)
            run = await accept_run(session, self.runtime, self.account_id, Kind.SYNC, Step.WRITE, values)
            for number, (role, path, data) in enumerate(files, start=1):
                writer = self.runtime.blobs.create()
                writer.write(data)
                blob = writer.commit()
                kept = {
                    "run_id": run_id, "number": number, "role": role, "path": path, "size": len(data), "blob": blob,
                    "digests": writer.digests, "sha256": hashlib.sha256(data).hexdigest(),
                }  # fmt: skip
                await stored_files.add(session, kept)
        return run

    async def slice(self, run: Run) -> Run:
        await work_on(self.runtime, RunId(run.id), work)
        return await self.get(run)

    async def finish(self, run: Run) -> Run:
        """Slice after slice until the run has ended, or waits for somebody to decide."""
        while not ((run := await self.slice(run)).done or run.state in HELD):
            await asyncio.sleep(0)
        return run

    async def run(self, items: Files | str = (), filters: Files | str = (), **settings: Any) -> Run:
        return await self.finish(await self.submit(items, filters, **settings))

    async def resume(self, run: Run, within: Brakes | None = None) -> Run:
        options = msgspec.json.encode({ACCEPTED: within}).decode()
        async with self.runtime.database.transaction() as session:
            await claims.resume(session, run.id, before=states_before(State.QUEUED), options=options)
        return await self.finish(run)

    async def get(self, run: Run) -> Run:
        async with self.runtime.database.read() as session:
            row = await runs.get(session, self.account_id, run.id)
        assert row is not None
        return run_from(row)

    async def stored(self, type: str) -> dict[str, Any]:
        """The records of a type by their keys."""
        async with self.runtime.database.snapshot() as session:
            page = await records.page(session, self.account_id, type, after=None, limit=100_000, max_bytes=10**9)
        return {row["key"]: json.loads(row["data"], parse_float=str) for row in page.rows}

    async def sql(self, statement: str, **values: object) -> list[Any]:
        async with self.runtime.database.transaction() as session:
            done = await session.execute(text(statement), values)
            return list(done.mappings().all()) if done.returns_rows else []


def name_files(role: Role, folder: str, files: Files | str) -> list[tuple[Role, str, bytes]]:
    named = {"a.csv": files} if isinstance(files, str) else dict(files)
    return [(role, folder + name, data.encode()) for name, data in sorted(named.items())]


def entities(run: Run) -> dict[str, dict[str, int]]:
    """What the run's report counts, without what is zero."""
    report = msgspec.to_builtins(run.report or {})
    return {
        name: {outcome: count for outcome, count in counts.items() if count}
        for name, counts in report.get("entities", {}).items()
    }
