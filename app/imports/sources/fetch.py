"""Fetches the file of a run. This is the first step of its work, before there are rows (ADR 17)."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from app.connections.pull import Pull, pull_from_json, pull_to_json
from app.declarations.types import load_resource
from app.errors import Fatal, Refused
from app.formats.unpack import parse_coding
from app.imports.examine import examine_upload
from app.imports.plan import ReadOptions, load_options, load_pending_plan, plan_to_json
from app.imports.sources.incoming import IncomingFile
from app.imports.sources.same_file import look_for_same_file
from app.observe.events import FileFetched, StepReached
from app.quotas.stored import ensure_bytes
from app.runs.lifecycle import RunLost, SourceAway
from app.runs.model import Run, RunId
from app.runs.summary import RunWarning, add_warnings
from app.runtime import Runtime
from app.storage import runs
from app.transports.failed import TransportFailed, failure
from app.transports.fetch import fetch
from app.transports.transport import FileInfo
from app.vault import VaultError

PROGRESS_SECONDS: Final = 1.0  # between two updates of how many bytes have arrived
ROUNDS: Final = 4  # before a source that is away fails the run; each round tries five times


class SecretsLocked(SourceAway):
    """The credentials for the source cannot be decrypted here; another machine may have the key."""

    part = "secrets"


class FileSink:
    """Takes in the bytes of a file, and stores how many have arrived. `before` is how many of other files have."""

    def __init__(self, runtime: Runtime, run: Run, read: ReadOptions, *, before: int = 0) -> None:
        self._runtime, self._run = runtime, run
        self._read, self._before = read, before
        self._progress_at = time.monotonic()
        self.incoming = self._new_file()
        self.version: FileInfo | None = None  # the only one that is wanted

    async def begin(self, file: FileInfo) -> None:
        if self.version is not None and file.differs(self.version):
            raise failure("replaced")
        try:
            self.incoming.describe(file.charset, parse_coding(file.coding))
        except ValueError:
            raise failure("coded") from None

    async def write(self, data: bytes) -> None:
        await self.incoming.add(data)
        report_step(self._runtime, self._run, "arriving")
        if time.monotonic() - self._progress_at >= PROGRESS_SECONDS:
            self._progress_at = time.monotonic()
            await self._store_progress()

    async def start_over(self) -> None:
        self.incoming.discard()
        self.incoming = self._new_file()
        await self._store_progress()

    def _new_file(self) -> IncomingFile:
        file = IncomingFile(self._runtime, self._read.encoding, workbooks=not self._read.prescribed)
        file.sheet = self._read.sheet or ""
        return file

    async def _store_progress(self) -> None:
        async with self._runtime.database.transaction() as session:
            arrived = self._before + self.incoming.size
            if not await runs.store_fetched_bytes(session, self._run.id, self._run.attempt, arrived):
                raise RunLost


async def fetch_file(runtime: Runtime, run: Run) -> None:
    """Stores the file of the run, and settles how it is read.

    Raises Fatal if the file cannot be fetched, SourceAway if a later round may succeed, and RunLost.
    """
    sink = FileSink(runtime, run, load_pending_plan(run).read)
    try:
        await receive_file(runtime, run, sink)
        report_step(runtime, run, "fetched")
        await store_file(runtime, run, sink.incoming)
    except Refused as refused:
        raise Fatal("file_refused", refused.detail) from None
    finally:
        sink.incoming.discard()


async def receive_file(runtime: Runtime, run: Run, sink: FileSink) -> None:
    with source_failures(run):
        pull = open_pull(runtime, run)
        sink.version = pull.version
        await fetch(pull.remote, pull.path, runtime.policy_for(run.account_id), sink)
    await sink.incoming.end()


@contextmanager
def source_failures(run: Run) -> Iterator[None]:
    """Turns what goes wrong with a source into SourceAway, or Fatal if a later round cannot succeed either."""
    try_again = run.fetches + 1 < ROUNDS
    try:
        yield
    except VaultError as locked:
        # While keys are being changed machine by machine, this one may lack the key of the one that took the import.
        raise (SecretsLocked(str(locked)) if try_again else Fatal("source_locked")) from None
    except TransportFailed as failed:
        raise (
            SourceAway(failed.detail)
            if failed.transient and try_again
            else Fatal(f"source_{failed.step}", failed.detail)
        ) from None


def seal_pull(runtime: Runtime, run_id: RunId, pull: Pull) -> bytes:
    """The remote, its credentials and the path, sealed to the run: copied to another run they cannot be opened."""
    return runtime.vault.seal(pull_to_json(pull), bound_to=f"run:{run_id}")


def open_pull(runtime: Runtime, run: Run) -> Pull:
    """Raises VaultError."""
    return pull_from_json(runtime.vault.open(run.secret or b"", bound_to=f"run:{run.id}"))


async def store_file(runtime: Runtime, run: Run, incoming: IncomingFile) -> None:
    """Stores the file and its plan if the run is still ours. From then on its rows can be written."""
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
    report_step(runtime, run, "examined")
    blob = await asyncio.to_thread(incoming.writer.commit)
    report_step(runtime, run, "kept")
    file = {
        "plan": plan_to_json(examined.plan),
        "blob": blob,
        "blob_digests": upload.writer.digests,
        "file_bytes": upload.size,
        "file_sha256": upload.sha256,
        "fetched_bytes": upload.size,
        "total": examined.total,
    }
    try:
        ours = await store_values(runtime, run, file, examined.warnings)
    except Refused:
        await asyncio.to_thread(runtime.blobs.delete, blob)
        raise
    if not ours:
        await asyncio.to_thread(runtime.blobs.delete, blob)
        raise RunLost
    report_step(runtime, run, "settled")
    runtime.observe(FileFetched(run.id, run.account_id, upload.size, examined.total))


async def store_values(runtime: Runtime, run: Run, file: Mapping[str, Any], warned: Sequence[RunWarning]) -> bool:
    """Raises Refused: same_file, quota_reached."""
    warnings, options, sha256 = [dict(each) for each in run.warnings], load_options(run), file["file_sha256"]
    async with runtime.database.transaction() as session:
        await ensure_bytes(session, run.account_id, file["file_bytes"])
        same = await look_for_same_file(session, run.account_id, run.type, options, sha256, run_id=run.id)
        add_warnings(warnings, [*warned, *same])
        return await runs.store_fetched_file(session, run.id, run.attempt, {**file, "warnings": warnings})


def report_step(runtime: Runtime, run: Run, step: str) -> None:
    runtime.observe(StepReached(run.id, step))
