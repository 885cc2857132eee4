"""Looks at the folders of an item sync: what is there, whether it still changes, and whether it is enough to go on."""

from collections.abc import Sequence
from typing import Final

from app.connections.pull import Pull
from app.errors import Fatal
from app.imports.sources.fetch import open_pull, source_failures
from app.runs.lifecycle import RunLost
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.syncs import progress
from app.syncs.files import Role
from app.syncs.plan import FetchPlan, Folders, Images, SeenFile, fetch_plan_to_json, is_known
from app.syncs.settings import SyncSettings
from app.transports import connect
from app.transports.failed import TransportFailed
from app.transports.transport import FileInfo, Transport, time_limit

MOST_FILES: Final = 100  # CSV files of one folder
MOST_LOOKS: Final = 30
LOOKS_OF_A_FETCH: Final = 5  # as which it counts when a file turns out to be another one than was seen
TOTAL_FACTOR: Final = 10  # all files together may be so many times as large as one
CSV: Final = "*.[cC][sS][vV]"

NO_FOLDER: Final = "The folder `{path}` of the item files does not exist. Nothing was changed"
NO_ITEMS: Final = "A full sync needs item files, and the folder `{path}` has no `*.csv` file. Nothing was changed"
TOO_MANY: Final = "The folder `{path}` has {count} CSV files, and at most {most} are read. Nothing was changed"
TOO_LARGE: Final = "The file `{path}` has {size:,} bytes, and at most {most:,} are read. Nothing was changed"
TOO_MUCH: Final = (
    "All files of the sync have {size:,} bytes together, and at most {most:,} are read. Nothing was changed"
)
UNSETTLED: Final = "The files still changed after {looks} looks at the folders. Nothing was changed"


async def look_at_folders(runtime: Runtime, run: Run, settings: SyncSettings, plan: FetchPlan) -> None:
    """Looks once more. If something is different from the last time, the run rests until the next look.

    Raises SourceAway, RunLost, and Fatal for folders that cannot be read, are too much, or do not settle.
    """
    if plan.looks >= MOST_LOOKS:
        raise Fatal("sync_unsettled", UNSETTLED.format(looks=MOST_LOOKS))
    with source_failures(run):
        folders = await read_folders(runtime, run, settings, open_pull(runtime, run))
    ensure_few(settings, folders.files)
    settled = plan.looks > 0 and folders == plan.folders
    if settled:
        ensure_enough(settings, folders)
        ensure_small(runtime, folders.files)
    images = await choose_images(runtime, run, settings, folders) if settled else "unwanted"
    await rest(runtime, run, FetchPlan(looks=plan.looks + 1, folders=folders, settled=settled, images=images), settings)


async def rest(runtime: Runtime, run: Run, plan: FetchPlan, settings: SyncSettings) -> None:
    """Stores the plan. Unless it is settled, nobody looks for a while. Raises RunLost."""
    seconds = 0.0 if plan.settled else settings.quiet_seconds
    async with runtime.database.transaction() as session:
        stored = fetch_plan_to_json(plan)
        if not await progress.rest(session, run.id, run.attempt, run.step, plan=stored, seconds=seconds):
            raise RunLost


async def read_folders(runtime: Runtime, run: Run, settings: SyncSettings, pull: Pull) -> Folders:
    """Raises TransportFailed."""
    policy = runtime.policy_for(run.account_id)
    found: list[SeenFile] = []
    missing: list[Role] = []
    async with time_limit(policy.total_seconds, "too_slow"), connect(pull.remote, policy) as transport:
        for role, path in wanted_paths(settings):
            files = await find_files(transport, role, path)
            if files is None:
                missing.append(role)
            else:
                found += [describe_file(role, each) for each in files]
    return Folders(files=tuple(found), missing=tuple(missing))


def wanted_paths(settings: SyncSettings) -> list[tuple[Role, str]]:
    """In the order in which the files are read."""
    paths = [(Role.ITEMS, settings.items_path), (Role.FILTERS, settings.filters_path)]
    return [*paths, (Role.IMAGES, settings.images_path)] if settings.wants_images else paths


async def find_files(transport: Transport, role: Role, path: str) -> Sequence[FileInfo] | None:
    """The CSV files of a folder in the order of their names, or the ZIP; None if there is no such folder or ZIP.
    Raises TransportFailed."""
    try:
        if role is Role.IMAGES:
            return [await transport.stat(path)]
        return sorted(await transport.list(path + CSV, strict=True), key=lambda file: file.path)
    except TransportFailed as failed:
        if failed.reason == ("missing" if role is Role.IMAGES else "missing_folder"):
            return None
        raise name_path(failed, path) from None


def name_path(failed: TransportFailed, path: str) -> TransportFailed:
    """The same failure, with the file or folder that it is about."""
    return TransportFailed(failed.step, f"`{path}`: {failed.detail}", transient=failed.transient, reason=failed.reason)


def describe_file(role: Role, file: FileInfo) -> SeenFile:
    return SeenFile(role=role, path=file.path, size=file.size, modified=file.modified, tag=file.tag)


def ensure_enough(settings: SyncSettings, folders: Folders) -> None:
    """Whether it is certain that the shop has put its files there. Raises Fatal."""
    if Role.ITEMS in folders.missing:
        raise Fatal("sync_no_items", NO_FOLDER.format(path=settings.items_path))
    if settings.mode == "full" and all(file.role is not Role.ITEMS for file in folders.files):
        raise Fatal("sync_no_items", NO_ITEMS.format(path=settings.items_path))


def ensure_few(settings: SyncSettings, files: Sequence[SeenFile]) -> None:
    """Before they are stored as a plan. Raises Fatal."""
    for role, path in wanted_paths(settings):
        count = sum(file.role is role for file in files)
        if count > MOST_FILES:
            raise Fatal("sync_too_large", TOO_MANY.format(path=path, count=count, most=MOST_FILES))


def ensure_small(runtime: Runtime, files: Sequence[SeenFile]) -> None:
    """Refuses by the sizes that the server tells what would be refused while it is fetched. Raises Fatal."""
    most, most_together = runtime.settings.max_file_bytes, runtime.settings.max_file_bytes * TOTAL_FACTOR
    for file in files:
        if file.role is not Role.IMAGES and (file.size or 0) > most:
            raise Fatal("sync_too_large", TOO_LARGE.format(path=file.path, size=file.size, most=most))
    size = sum(file.size or 0 for file in files)
    if size > most_together:
        raise Fatal("sync_too_large", TOO_MUCH.format(size=size, most=most_together))


async def choose_images(runtime: Runtime, run: Run, settings: SyncSettings, folders: Folders) -> Images:
    """What becomes of the ZIP, as far as its description tells."""
    if not settings.wants_images:
        return "unwanted"
    zipped = next((file for file in folders.files if file.role is Role.IMAGES), None)
    if zipped is None:
        return "missing"
    async with runtime.database.read() as session:
        seen = await progress.find_seen_images(session, run.sync_id or "")
    return "unchanged" if seen is not None and is_known(zipped, seen) else "fetched"
