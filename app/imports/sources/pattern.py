"""One import for each file that a pattern fits, oldest first, as far as there is room in the queue."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.errors import Complaint, Refused
from app.imports.intake import Submission, submit
from app.imports.sources.probe import is_pattern, patient
from app.imports.sources.pull import Pull
from app.runs.model import Run
from app.runtime import Runtime
from app.transports import connected
from app.transports.failed import TransportFailed
from app.transports.transport import Place


@dataclass(frozen=True, slots=True)
class Begun:
    """The files that were found, and the runs of the first of them; the others found no room in the queue."""

    paths: Sequence[str]
    runs: Sequence[Run]


async def submit_all(runtime: Runtime, wanted: Submission, place: Place, pattern: str) -> Begun:
    """`wanted` comes without a file. Raises Refused: invalid (the source, nothing fits), queue_full (for the first)."""
    paths = await fitting(runtime, place, pattern) if is_pattern(place, pattern) else [pattern]
    if not paths:
        raise Refused("invalid", "No file fits the path", [Complaint("path", "fits no file")])
    runs: list[Run] = []
    for path in paths:
        try:
            runs.append(await submit(runtime, replace(wanted, pull=Pull(place, path))))
        except Refused as refused:
            if refused.code != "queue_full" or not runs:
                raise
            break
    return Begun(paths, runs)


async def fitting(runtime: Runtime, place: Place, pattern: str) -> list[str]:
    try:
        async with connected(place, patient(runtime.terms)) as transport:
            return [entry.path for entry in await transport.list(pattern)]
    except TransportFailed as failed:
        raise Refused("invalid", f"{failed.step}: {failed.detail}", [Complaint("path", failed.detail)]) from None
