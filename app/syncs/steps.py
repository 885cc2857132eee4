"""The steps that a run of an item sync goes through, and how it goes from one to the next."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from app.runs.kinds import Step
from app.runs.lifecycle import RunLost, end_run
from app.runs.model import Run
from app.runs.states import State
from app.storage.database import PLAN_VERSION, Session
from app.storage.syncs import progress
from app.syncs.settings import SyncSettings, load_settings

SETTINGS: Final = "sync"  # the member of the run's options that has the settings
DRY_RUN: Final = "dryRun"


def load_run_settings(run: Run) -> SyncSettings:
    """The settings as they were when the run was accepted."""
    return load_settings(run.options[SETTINGS])


def list_steps(settings: SyncSettings) -> list[Step]:
    """Those that a run goes through, in this order."""
    has_images = settings.wants_images or settings.mode == "full"  # which takes away those of items that are gone
    images, afterwards = [Step.IMAGES] * has_images, [Step.AFTERWARDS] * (not settings.keeps_files)
    return [Step.FETCH, Step.WRITE, Step.APPLY, *images, *afterwards]


async def go_on(session: Session, run: Run, values: Mapping[str, Any]) -> Run | None:
    """Changes columns of a run whose step is done, in the caller's transaction, and lets it go on to its next step.
    After the last one the run has ended and is returned: `announce_end` it after the commit. Raises RunLost."""
    following = dict(pairwise(list_steps(load_run_settings(run)))).get(run.step)
    changes: dict[str, Any] = {"crashes": 0, "fetches": 0, **values}
    if following is not None:
        changes |= {"step": following, "plan_version": PLAN_VERSION}
    if not await progress.change(session, run.id, run.attempt, run.step, changes):
        raise RunLost
    if following is not None:
        return None
    return await end_run(session, run.id, run.attempt, State.FINISHED)
