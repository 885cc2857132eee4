"""Lists the files at a remote that match a pattern, oldest first."""

from collections.abc import Sequence

from app.connections.check import connect_briefly
from app.connections.pull import Pull, check_path_or_pattern, is_pattern
from app.errors import Complaint, Refused
from app.runs.model import AccountId
from app.runtime import Runtime
from app.transports.failed import TransportFailed
from app.transports.transport import FileInfo, age_key


async def find_files(
    runtime: Runtime, account_id: AccountId, pull: Pull, *, after: FileInfo | None = None
) -> Sequence[FileInfo]:
    """As `list_matching`. Raises Refused("invalid") for a path that cannot be used, a remote that cannot be listed, and
    if no file matches, with `after` or without."""
    try:
        files = await list_matching(runtime, account_id, pull)
    except TransportFailed as failed:
        raise refuse_path(failed.detail) from None
    if not files:
        raise refuse_path("No file matches `path`")
    return select_after(files, after)


async def list_matching(
    runtime: Runtime, account_id: AccountId, pull: Pull, *, after: FileInfo | None = None
) -> Sequence[FileInfo]:
    """The files that match the path of `pull`. A path without wildcards is one file, which is not looked for. With
    `after`, only files that come after that one; it need not exist any more.

    Raises Refused("invalid") for a path that cannot be used, TransportFailed for a remote that cannot be listed.
    """
    scheme = pull.remote.scheme
    try:
        check_path_or_pattern(scheme, pull.path)
    except TransportFailed as wrong:
        raise refuse_path(wrong.detail) from None
    if not is_pattern(scheme, pull.path):
        return select_after([FileInfo(pull.path)], after)
    async with connect_briefly(pull.remote, runtime.policy_for(account_id)) as transport:
        return select_after(await transport.list(pull.path), after)


def select_after(files: Sequence[FileInfo], after: FileInfo | None) -> Sequence[FileInfo]:
    return files if after is None else [file for file in files if age_key(file) > age_key(after)]


def refuse_path(reason: str) -> Refused:
    return Refused("invalid", reason, [Complaint("path", reason)])
