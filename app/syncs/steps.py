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
STEPS: Final = (Step.FETCH, Step.WRITE, Step.APPLY)  # in the order in which a run goes through them
DRY_RUN: Final = "dryRun"


def load_run_settings(run: Run) -> SyncSettings:
    """The settings as they were when the run was accepted."""
    return load_settings(run.options[SETTINGS])


async def go_on(session: Session, run: Run, values: Mapping[str, Any]) -> Run | None:
    """Changes columns of a run whose step is done, in the caller's transaction, and lets it go on to its next step.
    After the last one the run has ended and is returned: `announce_end` it after the commit. Raises RunLost."""
    following = dict(pairwise(STEPS)).get(run.step)
    moved = {} if following is None else {"step": following, "plan_version": PLAN_VERSION}
    if not await progress.change(session, run.id, run.attempt, run.step, {"crashes": 0, **moved, **values}):
        raise RunLost
    if following is not None:
        return None
    return await end_run(session, run.id, run.attempt, State.FINISHED)
