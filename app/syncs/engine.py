"""The engine of item syncs: works on a claimed run for one slice, in the step that it is in."""

from app.runs.lifecycle import Stopping
from app.runs.model import Run
from app.runtime import Runtime
from app.syncs.fetching.fetch import fetch_files


async def work(runtime: Runtime, run: Run, stopping: Stopping) -> bool:
    """Says whether the slice has ended the run. Raises RunLost, Fatal, SourceAway, Retryable."""
    return await fetch_files(runtime, run, stopping)
