"""Lists the files at a remote that match a pattern, oldest first."""

from collections.abc import Sequence

from app.connections.check import connect_briefly
from app.connections.pull import Pull, check_path_or_pattern, is_pattern
from app.errors import Complaint, Refused
from app.runs.model import AccountId
from app.runtime import Runtime
from app.transports.failed import TransportFailed
from app.transports.transport import FileInfo, TransferPolicy, age_key


async def find_files(
    runtime: Runtime, account_id: AccountId, pull: Pull, *, after: FileInfo | None = None
) -> Sequence[FileInfo]:
    """The files that match the path of `pull`. A path without wildcards is one file, which is not looked for. With
    `after`, only files that come after that one; it need not exist any more.

    Raises Refused("invalid") for a path that cannot be used, a remote that cannot be listed, and if no file matches.
    """
    scheme = pull.remote.scheme
    try:
        check_path_or_pattern(scheme, pull.path)
    except TransportFailed as wrong:
        raise refuse_path(wrong.detail) from None
    policy = runtime.policy_for(account_id)
    files = await list_files(pull, policy) if is_pattern(scheme, pull.path) else [FileInfo(pull.path)]
    if not files:
        raise refuse_path("No file matches `path`")
    if after is not None:
        files = [file for file in files if age_key(file) > age_key(after)]
    return files


async def list_files(pull: Pull, policy: TransferPolicy) -> list[FileInfo]:
    try:
        async with connect_briefly(pull.remote, policy) as transport:
            return await transport.list(pull.path)
    except TransportFailed as failed:
        raise refuse_path(failed.detail) from None


def refuse_path(reason: str) -> Refused:
    return Refused("invalid", reason, [Complaint("path", reason)])
