"""Turns a run into Voucherify's async action."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

from app.problems import Problem
from app.runs.model import Run
from app.runs.progress import percent_done
from app.runs.states import State
from app.surfaces.voucherify.vocabulary import ACTIONS, OPERATION_STATUSES, REASONS, STATUSES
from app.surfaces.voucherify.wire.actions import AsyncAction, FailedRow, Result, RowError

MOST_FAILED = 1_000  # failed rows that an action lists; `failed_count` counts them all


def action_without_result(run: Run) -> AsyncAction:
    """As it is shown in a list."""
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


def action_with_result(run: Run, problems: Sequence[Problem], *, report: str, retention_days: int) -> AsyncAction:
    """With its result, once it has ended. `problems` are those of the first MOST_FAILED failed rows, `report` is the
    URL of the report."""
    action = action_without_result(run)
    if run.finished_at is None:
        return action
    if ACTIONS[run.origin].of_file:
        result = file_result(run, problems)
    else:
        till = run.finished_at + timedelta(days=retention_days)
        result = list_result(run, problems).model_copy(update={"reports": [report], "reports_available_till": till})
    # From the times as they are shown, to the millisecond, because they add up in all of the vendor's examples.
    milliseconds = int(run.finished_at.timestamp() * 1000) - int(run.created_at.timestamp() * 1000)
    return action.model_copy(update={"processing_time": milliseconds, "result": result})


def file_result(run: Run, problems: Sequence[Problem]) -> Result:
    message = f"{run.success} customer(s) imported successfully, {run.failed} failed."
    return Result(
        message=f"{message} {run.fail_detail}" if run.fail_detail else message,
        failed=[
            FailedRow(source_id=row_problems[0].key or "", row=row, reason=describe_problems(row_problems))
            for row, row_problems in group_by_row(problems)
        ],
        done_count=run.success,
        failed_count=run.failed,
    )


def list_result(run: Run, problems: Sequence[Problem]) -> Result:
    errors = [
        RowError(message=describe_problem(each), details=f"Item {each.row}", key=each.code, source_id=each.key or "")
        for each in problems
    ]
    if run.fail_code:
        errors.append(RowError(message=run.fail_detail or "", details="", key=run.fail_code, source_id=""))
    return Result(done_count=run.success, failed_count=run.failed, errors=errors)


def group_by_row(problems: Sequence[Problem]) -> list[tuple[int, list[Problem]]]:
    return [(row, list(group)) for row, group in groupby(problems, key=lambda problem: problem.row)]


def describe_problems(problems: Sequence[Problem]) -> str:
    return "; ".join(map(describe_problem, problems))


def describe_problem(problem: Problem) -> str:
    """In Voucherify's words where it has any, else in ours."""
    reason = REASONS.get((problem.field, problem.code))
    return reason or (f"{problem.column}: {problem.message}" if problem.column else problem.message)
