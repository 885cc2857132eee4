"""The states of a run and every allowed move between them."""

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    HALTED = "halted"
    PLANNED = "planned"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


NEXT: dict[State, frozenset[State]] = {
    # Claimed by a worker; or failed by the sweeper, when it can never be claimed; or cancelled.
    State.QUEUED: frozenset({State.RUNNING, State.FAILED, State.CANCELLED}),
    # Every row has an outcome; or it cannot be processed, or has crashed its worker too often; or a brake has stopped
    # it, or it was to be planned only; or somebody cancels it while it is worked on.
    State.RUNNING: frozenset({State.FINISHED, State.FAILED, State.HALTED, State.PLANNED, State.CANCELLED}),
    # Somebody resumes it or cancels it, or nobody does for SLUICE_PLAN_HOURS.
    State.HALTED: frozenset({State.QUEUED, State.CANCELLED}),
    State.PLANNED: frozenset({State.QUEUED, State.CANCELLED}),
    State.FINISHED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}
ENDED = frozenset(state for state, after in NEXT.items() if not after)
HELD = frozenset({State.HALTED, State.PLANNED})  # open, but nobody works on it until somebody decides


def states_before(state: State) -> list[State]:
    """The states from which a run may go to this one."""
    return [before for before, after in NEXT.items() if state in after]
