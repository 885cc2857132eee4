"""The last step of an item sync: what becomes of the files that it has read, at their server.

By then all is written. A file that cannot be moved costs a warning, and not the sync.
"""

from collections.abc import Sequence
from typing import Final

from app.connections.pull import Pull
from app.errors import Fatal
from app.imports.sources.fetch import open_pull, report_step, source_failures
from app.runs.lifecycle import RunLost, announce_end
from app.runs.model import Run
from app.runs.summary import RunWarning, add_warnings
from app.runtime import Runtime
from app.storage.syncs import files as stored
from app.storage.syncs import progress
from app.syncs.files import Role, SyncFile, load_files
from app.syncs.report import load_report, report_to_json
from app.syncs.steps import go_on, load_run_settings
from app.transports import connect
from app.transports.afterwards import Afterwards, dispose_of, parse_afterwards
from app.transports.failed import TransportFailed
from app.transports.transport import FileInfo, Transport, time_limit

LEFT: Final = "The file `{path}` was left where it is: {why}"
GONE: Final = "it is not there any more, or it has been replaced"


async def dispose_of_files(runtime: Runtime, run: Run) -> bool:
    """Moves or deletes each CSV file that was read, and ends the run. What a killed worker has done is found done.

    Raises RunLost, SourceAway, Retryable.
    """
    async with runtime.database.read() as session:
        files = await load_files(session, run.id, Role.ITEMS, Role.FILTERS)
    pending = [each for each in files if not each.settled]
    warnings: list[RunWarning] = []
    try:
        with source_failures(run):
            warnings = await dispose_over_connection(runtime, run, open_pull(runtime, run), pending)
    except Fatal as hopeless:
        warnings = [leave(each, hopeless.detail) for each in pending]
    return await finish(runtime, run, warnings)


async def dispose_over_connection(
    runtime: Runtime, run: Run, pull: Pull, pending: Sequence[SyncFile]
) -> list[RunWarning]:
    """What could not be done. Raises TransportFailed if a later try may succeed, or no file can be reached at all."""
    policy, wanted = runtime.policy_for(run.account_id), parse_afterwards(load_run_settings(run).afterwards)
    left: list[RunWarning] = []
    async with time_limit(policy.total_seconds, "slow_writing"), connect(pull.remote, policy) as transport:
        for file in pending:
            warning = await dispose_of_one(runtime, run, transport, file, wanted)
            left += [] if warning is None else [warning]
    return left


async def dispose_of_one(
    runtime: Runtime, run: Run, transport: Transport, file: SyncFile, wanted: Afterwards
) -> RunWarning | None:
    """Why the file was left, if it was. Raises RunLost, and TransportFailed if a later try may succeed."""
    described = FileInfo(file.path, file.size, file.modified, file.tag)
    try:
        disposal = await dispose_of(transport, described, wanted, run.id)
    except TransportFailed as failed:
        if failed.transient:
            raise
        return leave(file, failed.detail)
    report_step(runtime, run, "disposed")
    if disposal.outcome == "gone":
        return leave(file, GONE)
    async with runtime.database.transaction() as session:
        if not await progress.change(session, run.id, run.attempt, run.step, {"crashes": 0}):
            raise RunLost
        await stored.mark_settled(session, run.id, file.number, disposal.path)
    report_step(runtime, run, "noted")
    return None


def leave(file: SyncFile, why: str) -> RunWarning:
    return RunWarning("file_left", file.path, LEFT.format(path=file.path, why=why[:1].lower() + why[1:]))


async def finish(runtime: Runtime, run: Run, left: Sequence[RunWarning]) -> bool:
    """Raises RunLost."""
    warnings = [dict(each) for each in run.warnings]
    add_warnings(warnings, left)
    async with runtime.database.transaction() as session:
        moved = {each.path: each.moved_to for each in await load_files(session, run.id)}
        report = load_report(run)
        for each in report.files:
            each.moved_to = moved.get(each.path)
        ended = await go_on(session, run, {"warnings": warnings, "report": report_to_json(report)})
    announce_end(runtime, ended)
    return ended is not None
