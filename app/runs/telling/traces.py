"""What spans tell of a run: who it is, and what became of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.observe.traces import TracedRun, Traces, WorkersTurn
from app.runs.model import Run


@contextmanager
def tracing_turn(traces: Traces, run: Run) -> Iterator[None]:
    """Around all that a worker does with a run that it has claimed."""
    # Taking a run from a worker that was lost raises the attempt, and claiming it raises it again.
    lost = run.attempt - 2 if run.crashes else None
    with traces.turn(describe_run(run), WorkersTurn(f"{run.kind} {run.step}", run.attempt, lost)):
        yield


def trace_end(traces: Traces, run: Run) -> None:
    if run.finished_at is not None:
        traces.end(describe_run(run), run.created_at, run.finished_at, run.fail_code)


def describe_run(run: Run) -> TracedRun:
    told: dict[str, str | int] = {"account_id": run.account_id, "type": run.type, "state": str(run.state)}
    rows = {} if run.total is None else {"total": run.total, "success": run.success, "failed": run.failed}
    attributes = {f"sluice.{name}": value for name, value in {**told, **rows}.items()}
    return TracedRun(run.id, str(run.kind), run.traceparent, attributes)
