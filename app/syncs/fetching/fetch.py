"""Fetches the files of an item sync, one after the other, each under the lease and the fence of the run."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import msgspec

from app.connections.pull import Pull
from app.errors import Fatal, Refused
from app.imports.sources.fetch import open_pull, report_step, source_failures
from app.observe.sync_events import SyncFilesFetched
from app.quotas.stored import ensure_bytes
from app.runs.deletion import delete_unowned
from app.runs.lifecycle import RunLost, Stopping, announce_end
from app.runs.model import Run
from app.runs.summary import RunWarning, add_warnings
from app.runtime import Runtime
from app.storage.blobs import BlobsUnavailable, BlobWriter
from app.storage.database import Session
from app.storage.syncs import files as stored
from app.storage.syncs import progress
from app.syncs.fetching.looking import LOOKS_OF_A_FETCH, TOTAL_FACTOR, look_at_folders, name_path, wanted_paths
from app.syncs.fetching.sinks import FoldersChanged, SyncSink, open_sink
from app.syncs.files import Role, SyncFile, load_files
from app.syncs.plan import FetchPlan, SeenFile, fetch_plan_to_json, load_fetch_plan, seen_zip_to_json
from app.syncs.report import ImagesReport, SyncReport, report_files, report_to_json
from app.syncs.settings import SyncSettings
from app.syncs.steps import go_on, load_run_settings
from app.transports.failed import TransportFailed
from app.transports.fetch import fetch

GONE = frozenset({"missing", "changed", "wrong_length"})  # reasons why a file is not the one that was seen


@dataclass(frozen=True, slots=True)
class Fetching:
    """One slice of the step."""

    runtime: Runtime
    run: Run
    settings: SyncSettings
    plan: FetchPlan
    pull: Pull


async def fetch_files(runtime: Runtime, run: Run, stopping: Stopping) -> bool:
    """Looks at the folders or, once they have settled, fetches what is there, and lets the run go on. Says whether that
    has ended it.

    Raises SourceAway, RunLost, and Fatal for what cannot be fetched. Whatever was fetched before stays.
    """
    settings, plan = load_run_settings(run), load_fetch_plan(run)
    if not plan.settled:
        await look_at_folders(runtime, run, settings, plan)
        report_step(runtime, run, "looked")
        return False
    with source_failures(run):
        fetching = Fetching(runtime, run, settings, plan, open_pull(runtime, run))
    try:
        whole = await fetch_missing(fetching, stopping)
    except FoldersChanged:
        await begin_again(fetching)
        return False
    return whole and await finish_fetching(fetching)


async def fetch_missing(fetching: Fetching, stopping: Stopping) -> bool:
    """Fetches what is not there yet, and says whether all is. Raises FoldersChanged."""
    async with fetching.runtime.database.read() as session:
        there = {each.number: each.size for each in await load_files(session, fetching.run.id)}
    for number, file in fetching.plan.to_fetch():
        if number in there:
            continue
        if stopping():
            return False
        there[number] = await fetch_one(fetching, number, file, before=sum(there.values()))
    return True


async def fetch_one(fetching: Fetching, number: int, listed: SeenFile, *, before: int) -> int:
    """Returns the bytes of the file. `before` are those of the files before it. Raises FoldersChanged."""
    runtime, run = fetching.runtime, fetching.run
    sink = open_sink(runtime, run, listed, encoding=fetching.settings.encoding, before=before)
    try:
        await receive(fetching, listed, sink, before=before)
        try:
            writer, sha256 = await sink.finish()
        except Refused as refused:
            raise Fatal("file_refused", f"`{listed.path}`: {refused.detail}") from None
        report_step(runtime, run, "fetched")
        await keep_file(fetching, number, listed, writer, sha256, size=sink.size, before=before)
    finally:
        sink.discard()
    return sink.size


async def receive(fetching: Fetching, listed: SeenFile, sink: SyncSink, *, before: int) -> None:
    """Raises FoldersChanged, SourceAway, RunLost, Fatal."""
    runtime, run = fetching.runtime, fetching.run
    limit = runtime.settings.max_file_bytes
    left = limit * TOTAL_FACTOR - before
    policy = replace(runtime.policy_for(run.account_id), limit=left if listed.role is Role.IMAGES else min(limit, left))
    with source_failures(run):
        try:
            await fetch(fetching.pull.remote, listed.path, policy, sink)
        except TransportFailed as failed:
            if failed.reason in GONE:
                raise FoldersChanged from None
            raise name_path(failed, listed.path) from None
        except Refused as refused:
            raise Fatal("file_refused", f"`{listed.path}`: {refused.detail}") from None


async def keep_file(
    fetching: Fetching, number: int, listed: SeenFile, writer: BlobWriter, sha256: str, *, size: int, before: int
) -> None:
    """Stores the file if the run is still ours. Raises RunLost, and Fatal beyond the quota of stored files."""
    runtime, run = fetching.runtime, fetching.run
    blob = await asyncio.to_thread(writer.commit)
    report_step(runtime, run, "kept")
    values = {
        "run_id": run.id,
        "number": number,
        "role": listed.role,
        "path": listed.path,
        "size": size,
        "modified": listed.modified,
        "tag": listed.tag,
        "blob": blob,
        "digests": writer.digests,
        "sha256": sha256,
    }
    arrived = {"fetched_bytes": before + size, "crashes": 0, "fetches": 0}  # it is a step forward
    try:
        async with runtime.database.transaction() as session:
            ours = await progress.change(session, run.id, run.attempt, run.step, arrived)
            if ours:
                await ensure_bytes(session, run.account_id, size)
                await stored.add(session, values)
    except Refused as refused:
        await asyncio.to_thread(runtime.blobs.delete, blob)
        raise Fatal("file_refused", f"`{listed.path}`: {refused.detail}") from None
    if not ours:
        await asyncio.to_thread(runtime.blobs.delete, blob)
        raise RunLost
    report_step(runtime, run, "settled")


async def begin_again(fetching: Fetching) -> None:
    """Forgets what was fetched: somebody has changed a file since the folders had settled. Raises RunLost."""
    runtime, run = fetching.runtime, fetching.run
    async with runtime.database.transaction() as session:
        blobs = await stored.drop(session, run.id)
        plan = fetch_plan_to_json(
            FetchPlan(looks=fetching.plan.looks + LOOKS_OF_A_FETCH, folders=fetching.plan.folders)
        )
        seconds = fetching.settings.quiet_seconds
        if not await progress.rest(session, run.id, run.attempt, run.step, plan=plan, seconds=seconds):
            raise RunLost
    with suppress(BlobsUnavailable):  # the sweep deletes what nothing owns
        await delete_unowned(runtime, blobs)


async def finish_fetching(fetching: Fetching) -> bool:
    """Lets the run go on with what is there, and says whether it has ended. Raises RunLost."""
    runtime, run = fetching.runtime, fetching.run
    async with runtime.database.transaction() as session:
        files = await load_files(session, run.id)
        known = await find_known_zip(session, run, files)
        kept = [each for each in files if each is not known]
        plan = replace_images(fetching.plan) if known else fetching.plan
        ended = await go_on(session, run, describe_fetched(fetching, plan, kept))
        dropped = [] if known is None else await stored.drop(session, run.id, Role.IMAGES)
    report_step(runtime, run, "listed")
    announce_end(runtime, ended)
    with suppress(BlobsUnavailable):
        await delete_unowned(runtime, dropped)
    size = sum(each.size for each in kept)
    runtime.observe(SyncFilesFetched(run.id, run.account_id, len(kept), size, plan.looks))
    return ended is not None


async def find_known_zip(session: Session, run: Run, files: Sequence[SyncFile]) -> SyncFile | None:
    """The ZIP, if its bytes turn out to be those that were taken in last. Then it is remembered as it is now, so that
    it is not fetched next time."""
    zipped = next((each for each in files if each.role is Role.IMAGES), None)
    seen = await progress.find_seen_images(session, run.sync_id or "")
    if zipped is None or seen is None or seen["sha256"] != zipped.sha256:
        return None
    await progress.remember_images(session, run.sync_id or "", seen_zip_to_json(zipped))
    return zipped


def replace_images(plan: FetchPlan) -> FetchPlan:
    return msgspec.structs.replace(plan, images="unchanged")


def describe_fetched(fetching: Fetching, plan: FetchPlan, files: Sequence[SyncFile]) -> dict[str, object]:
    """The columns of the run that change now that its files are there. Its credentials go, unless the files are moved
    in the end."""
    run, settings = fetching.run, fetching.settings
    warnings = [dict(each) for each in run.warnings]
    add_warnings(warnings, find_warnings(settings, plan))
    images = ImagesReport(status=plan.images, path=settings.images_path)
    size = sum(each.size for each in files)
    return {
        "plan": fetch_plan_to_json(plan),
        "file_bytes": size,
        "fetched_bytes": size,
        "secret": None if settings.keeps_files else run.secret,
        "report": report_to_json(SyncReport(files=report_files(files), images=images)),
        "warnings": warnings,
    }


def find_warnings(settings: SyncSettings, plan: FetchPlan) -> Iterator[RunWarning]:
    """What is not there, although nothing is wrong without it."""
    there = {file.role for file in plan.folders.files}
    for role, path in wanted_paths(settings):
        if role in there:
            continue
        if role is Role.IMAGES:
            yield RunWarning("no_images", path, f"The file `{path}` does not exist, so no pictures were read")
        elif role in plan.folders.missing:
            yield RunWarning("folder_missing", path, f"The folder `{path}` does not exist, so nothing was read")
        else:
            yield RunWarning("folder_empty", path, f"The folder `{path}` has no `*.csv` file, so nothing was read")
