"""The engine of item syncs: works on a claimed run for one slice, in the step that it is in."""

from app.runs.deletion import drop_overlay
from app.runs.kinds import Step
from app.runs.lifecycle import Stopping
from app.runs.model import Run
from app.runtime import Runtime
from app.syncs.afterwards import dispose_of_files
from app.syncs.fetching.fetch import fetch_files
from app.syncs.images import take_in_images
from app.syncs.writing.apply import apply_sync
from app.syncs.writing.write import write_files


async def work(runtime: Runtime, run: Run, stopping: Stopping) -> bool:
    """Says whether the slice has ended the run. Raises RunLost, Fatal, SourceAway, Retryable."""
    if run.step is Step.FETCH:
        return await fetch_files(runtime, run, stopping)
    if run.step is Step.APPLY:
        return await apply_sync(runtime, run)
    if run.step is Step.WRITE:
        await write_files(runtime, run, stopping)
        return False
    images = run.step is Step.IMAGES
    ended = await (take_in_images(runtime, run, stopping) if images else dispose_of_files(runtime, run))
    if ended:  # a worker that died after it had applied the overlay has left it
        await drop_overlay(runtime, run.account_id, run.id)
    return ended
