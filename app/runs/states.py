"""The states of a run and every allowed move between them."""

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


NEXT: dict[State, frozenset[State]] = {
    # Claimed by a worker; or failed by the sweeper, when it can never be claimed.
    State.QUEUED: frozenset({State.RUNNING, State.FAILED}),
    # Every row has an outcome; or it cannot be processed, or has crashed its worker too often.
    State.RUNNING: frozenset({State.FINISHED, State.FAILED}),
    State.FINISHED: frozenset(),
    State.FAILED: frozenset(),
}
ENDED = frozenset(state for state, after in NEXT.items() if not after)


def states_before(state: State) -> list[State]:
    """The states from which a run may go to this one."""
    return [before for before, after in NEXT.items() if state in after]
