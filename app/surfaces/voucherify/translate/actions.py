"""A run as Voucherify's async action."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

from app.problems import Problem
from app.runs.model import Run
from app.runs.progress import percent_done
from app.runs.states import State
from app.surfaces.voucherify.vocabulary import ACTIONS, OPERATION_STATUSES, REASONS, STATUSES
from app.surfaces.voucherify.wire.actions import AsyncAction, FailedRow, Result, RowError

MOST_FAILED = 1_000  # rows that an action names; `failed_count` is exact whatever it names


def listed(run: Run) -> AsyncAction:
    """As lists have it: without its result."""
    return AsyncAction(
        id=f"aa_{run.id}",
        type=ACTIONS[run.origin].type,
        status=STATUSES[run.state],
        operation_status=OPERATION_STATUSES[run.state],
        created_at=run.created_at,
        updated_at=run.finished_at or run.heartbeat_at or run.created_at,
        request_id=f"v-{run.request_id}",
        progress=100 if run.state is State.FINISHED else min(99, int(percent_done(run))),
        object="async_action",
    )


def shown(run: Run, problems: Sequence[Problem], *, report: str, retention_days: int) -> AsyncAction:
    """With its result, once it has ended. `problems` are those of its first MOST_FAILED failed rows, `report` is the
    address of the report."""
    action = listed(run)
    if run.finished_at is None:
        return action
    if ACTIONS[run.origin].of_file:
        result = of_file(run, problems)
    else:
        till = run.finished_at + timedelta(days=retention_days)
        result = of_items(run, problems).model_copy(update={"reports": [report], "reports_available_till": till})
    # Milliseconds as they are shown: the vendor's examples all add up.
    milliseconds = int(run.finished_at.timestamp() * 1000) - int(run.created_at.timestamp() * 1000)
    return action.model_copy(update={"processing_time": milliseconds, "result": result})


def of_file(run: Run, problems: Sequence[Problem]) -> Result:
    told = f"{run.success} customer(s) imported successfully, {run.failed} failed."
    return Result(
        message=f"{told} {run.fail_detail}" if run.fail_detail else told,
        failed=[
            FailedRow(source_id=found[0].key or "", row=row, reason="; ".join(map(reason, found)))
            for row, found in by_row(problems)
        ],
        done_count=run.success,
        failed_count=run.failed,
    )


def of_items(run: Run, problems: Sequence[Problem]) -> Result:
    errors = [
        RowError(message=reason(each), details=f"Item {each.row}", key=each.code, source_id=each.key or "")
        for each in problems
    ]
    if run.fail_code:
        errors.append(RowError(message=run.fail_detail or "", details="", key=run.fail_code, source_id=""))
    return Result(done_count=run.success, failed_count=run.failed, errors=errors)


def by_row(problems: Sequence[Problem]) -> list[tuple[int, list[Problem]]]:
    return [(row, list(found)) for row, found in groupby(problems, key=lambda problem: problem.row)]


def reason(problem: Problem) -> str:
    """In the vendor's words where it has any."""
    known = REASONS.get((problem.field, problem.code))
    return known or (f"{problem.column}: {problem.message}" if problem.column else problem.message)
