"""Item syncs of one account, driven slice by slice; between two slices a test may do to the server what it likes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from app.connections import connection as connections
from app.runs.lifecycle import work_on
from app.runs.model import AccountId, Run, RunId, run_from
from app.runtime import Runtime
from app.storage import runs
from app.syncs.engine import work
from app.syncs.files import SyncFile, load_files
from app.syncs.intake import SyncRequest, submit_sync
from app.syncs.settings import SyncSettings
from app.syncs.stored import SyncDeclaration, create_sync
from app.transports.transport import Remote, TransferPolicy
from tests.support.http import Account
from tests.transports.test_connections import body


class Syncing:
    """Paths of the settings are relative, because the test servers' folders are not at the root."""

    def __init__(self, runtime: Runtime, account: Account, calls: TransferPolicy) -> None:
        self.runtime = replace(runtime, transfer_policy=calls)
        self.account_id = AccountId(account.id)
        self._made = 0

    async def create(self, remote: Remote, **settings: Any) -> str:
        self._made += 1
        given = {"items_path": "items/", "filters_path": "itemfilters/", "images_path": "itempictures.zip"}
        wanted = SyncSettings(**{**given, "quiet_seconds": 0, **settings})
        async with self.runtime.database.transaction() as session:
            vault = self.runtime.vault
            declared_as = body(remote, f"shop {self._made}")
            stored = await connections.create_connection(session, vault, self.account_id, declared_as)
            declared = SyncDeclaration(f"sync {self._made}", stored.id, wanted)
            return (await create_sync(session, vault, self.account_id, declared)).id

    async def start(self, sync_id: str, **more: Any) -> Run:
        return await submit_sync(self.runtime, SyncRequest(self.account_id, sync_id, created_by="tests", **more))

    async def get(self, run: Run) -> Run:
        async with self.runtime.database.read() as session:
            row = await runs.get(session, self.account_id, run.id)
        assert row is not None
        return run_from(row)

    async def slice(self, run: Run) -> Run:
        """One slice of work; a run that was put off is due at once."""
        await work_on(self.runtime, RunId(run.id), work)
        async with self.runtime.database.transaction() as session:
            await session.execute(text("UPDATE runs SET due_at = now() WHERE id = :id"), {"id": run.id})
        return await self.get(run)

    async def fetch(self, run: Run) -> Run:
        """Slice after slice, until the files are there, or it has ended."""
        while not run.done and run.step == "fetch":
            run = await self.slice(run)
        return run

    async def finish(self, run: Run) -> Run:
        while not (run := await self.slice(run)).done:
            pass
        return run

    async def files(self, run: Run) -> Sequence[SyncFile]:
        async with self.runtime.database.read() as session:
            return await load_files(session, run.id)

    def content(self, file: SyncFile) -> bytes:
        with self.runtime.blobs.open(file.blob, file.digests) as opened:
            return opened.read()
