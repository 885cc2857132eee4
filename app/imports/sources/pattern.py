"""One import for each file that a pattern fits, oldest first, as far as there is room in the queue."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.connections.pull import Pull, checked_path, is_pattern
from app.connections.trial import tried
from app.errors import Complaint, Refused
from app.imports.intake import Submission, submit
from app.runs.model import Run
from app.runtime import Runtime
from app.transports.failed import TransportFailed
from app.transports.transport import Entry, Remote, age


@dataclass(frozen=True, slots=True)
class Begun:
    """The files that were found, and the runs of the first of them; the others found no room in the queue."""

    files: Sequence[Entry]
    runs: Sequence[Run]

    @property
    def last(self) -> Entry | None:
        """The file behind which to go on; None when there is no other."""
        return self.files[len(self.runs) - 1] if len(self.runs) < len(self.files) else None


async def submit_all(
    runtime: Runtime, wanted: Submission, remote: Remote, pattern: str, *, after: Entry | None = None
) -> Begun:
    """`wanted` comes without a file; `after`: only files that stand behind this one, which may be gone by now.

    Raises Refused: invalid (the source, nothing fits), queue_full (for the first).
    """
    try:
        checked_path(remote.scheme, pattern)
    except TransportFailed as wrong:
        raise Refused("invalid", f"path: {wrong.detail}", [Complaint("path", wrong.detail)]) from None
    files = await fitting(runtime, remote, pattern) if is_pattern(remote.scheme, pattern) else [Entry(pattern)]
    if not files:
        raise Refused("invalid", "No file fits the path", [Complaint("path", "fits no file")])
    if after is not None:
        files = [file for file in files if age(file) > age(after)]
    runs: list[Run] = []
    for file in files:
        try:
            runs.append(await submit(runtime, replace(wanted, pull=Pull(remote, file.path))))
        except Refused as refused:
            if refused.code != "queue_full" or not runs:
                raise
            break
    return Begun(files, runs)


async def fitting(runtime: Runtime, remote: Remote, pattern: str) -> list[Entry]:
    try:
        async with tried(remote, runtime.terms) as transport:
            return await transport.list(pattern)
    except TransportFailed as failed:
        raise Refused("invalid", f"{failed.step}: {failed.detail}", [Complaint("path", failed.detail)]) from None
