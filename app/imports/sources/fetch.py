"""Fetches the file of a run: the first part of its work, before there are rows."""

import asyncio
import time
from typing import Final

from app.connections.pull import Pull, pull_from_json, pull_to_json
from app.declarations.types import load_resource
from app.errors import Fatal, Refused
from app.imports.examine import examine_upload
from app.imports.plan import load_options, load_pending_plan, to_json
from app.imports.sources.incoming import IncomingFile
from app.observe.events import FileFetched, StepReached
from app.runs.lifecycle import RunLost, SourceAway
from app.runs.model import Run, RunId
from app.runs.summary import add_warnings
from app.runtime import Runtime
from app.storage import runs
from app.transports.failed import TransportFailed
from app.transports.fetch import fetch
from app.vault import VaultError

TELL_SECONDS: Final = 1.0  # between two notes of how much is here
ROUNDS: Final = 4  # times that a run is put off for a source that may come back; each round tries five times


class FileSink:
    """The file as it comes in, and how much of it is told."""

    def __init__(self, runtime: Runtime, run: Run) -> None:
        self._runtime, self._run = runtime, run
        self._told = time.monotonic()
        self.incoming = self._anew()

    async def write(self, data: bytes) -> None:
        await self.incoming.add(data)
        reached(self._runtime, self._run, "arriving")
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            await self._tell()

    async def start_over(self) -> None:
        self.incoming.writer.abort()
        self.incoming = self._anew()
        await self._tell()

    def _anew(self) -> IncomingFile:
        return IncomingFile(self._runtime, load_pending_plan(self._run).read.encoding)

    async def _tell(self) -> None:
        async with self._runtime.database.transaction() as session:
            if not await runs.store_fetched_bytes(session, self._run.id, self._run.attempt, self.incoming.size):
                raise RunLost


async def fetch_file(runtime: Runtime, run: Run) -> None:
    """Brings the file of the run into the store and settles how it is read.

    Raises Fatal for what cannot succeed, SourceAway for what a later try may do, RunLost.
    """
    sink = FileSink(runtime, run)
    try:
        await prefetch(runtime, run, sink)
        reached(runtime, run, "fetched")
        await settle(runtime, run, sink.incoming)
    except Refused as wrong:
        raise Fatal("file_refused", wrong.detail) from None
    finally:
        sink.incoming.writer.abort()


async def prefetch(runtime: Runtime, run: Run, sink: FileSink) -> None:
    again = run.fetches + 1 < ROUNDS
    try:
        pull = open_pull(runtime, run)
        await fetch(pull.remote, pull.path, runtime.transfer_policy, sink)
    except VaultError as locked:
        # While keys are changed machine by machine, this one may lack the key of the one that took the import.
        raise (SourceAway(str(locked)) if again else Fatal("source_locked")) from None
    except TransportFailed as failed:
        raise (
            SourceAway(failed.detail) if failed.transient and again else Fatal(f"source_{failed.step}", failed.detail)
        ) from None
    await sink.incoming.end()


def seal_pull(runtime: Runtime, run_id: RunId, pull: Pull) -> bytes:
    """The remote, its credentials and the path, sealed to the run: in another run's row they cannot be opened."""
    return runtime.vault.seal(pull_to_json(pull), bound_to=f"run:{run_id}")


def open_pull(runtime: Runtime, run: Run) -> Pull:
    """Raises VaultError."""
    return pull_from_json(runtime.vault.open(run.secret or b"", bound_to=f"run:{run.id}"))


async def settle(runtime: Runtime, run: Run, incoming: IncomingFile) -> None:
    """Stores the file and how it is read, if the run is still ours; its rows are worked on from then on."""
    async with runtime.database.read() as session:
        resource, declaration = await load_resource(session, run.account_id, run.type)
    upload = incoming.as_upload(run.file_name)
    examined = await asyncio.to_thread(
        examine_upload,
        upload,
        load_pending_plan(run),
        load_options(run),
        resource,
        declaration=declaration,
        limits=runtime.limits,
    )
    reached(runtime, run, "examined")
    blob = await asyncio.to_thread(incoming.writer.commit)
    reached(runtime, run, "kept")
    warnings = [dict(each) for each in run.warnings]
    add_warnings(warnings, examined.warnings)
    async with runtime.database.transaction() as session:
        ours = await runs.store_fetched_file(
            session,
            run.id,
            run.attempt,
            {
                "plan": to_json(examined.plan),
                "blob": blob,
                "file_bytes": upload.size,
                "file_sha256": upload.sha256,
                "fetched_bytes": upload.size,
                "total": examined.total,
                "warnings": warnings,
            },
        )
    if not ours:
        await asyncio.to_thread(runtime.blobs.delete, blob)
        raise RunLost
    reached(runtime, run, "settled")
    runtime.observe(FileFetched(run.id, run.account_id, upload.size, examined.total))


def reached(runtime: Runtime, run: Run, step: str) -> None:
    runtime.observe(StepReached(run.id, step))
