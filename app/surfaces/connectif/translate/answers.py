"""A run into Connectif's import, a failure into its answer."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from app.imports.plan import load_pending_plan, load_plan
from app.runs.model import Run
from app.runs.status import Status
from app.surfaces.connectif import wire
from app.surfaces.connectif.vocabulary import ANSWERS, STATUSES
from app.throttle import Allowance
from app.web.failures import Failure, ProblemShape, render_problem


def shown(status: Status, *, base: str, retention_days: int) -> wire.Import:
    """The import as it is at this moment; what is not set is left out."""
    run, own = status.run, f"{base}/imports/{status.run.id}"
    optional = {
        "error_report_file_url": f"{own}/failed-rows.csv" if run.failed else None,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "outcome": status.outcome,
        "eta_seconds": status.eta_seconds,
        "queue_position": status.queue_position,
        "failure": wire.RunFailure(code=run.fail_code, detail=run.fail_detail or "") if run.fail_code else None,
        "file_name": run.file_name,
        **pulled_shown(run),
        "expires_at": run.finished_at + timedelta(days=retention_days) if run.finished_at else None,
    }
    return wire.Import(
        id=run.id,
        type=run.type,
        status=STATUSES[run.state],
        origin="api",
        total=run.total,
        success=run.success,
        errors=run.failed,
        options=options_shown(run),
        created_at=run.created_at,
        created=run.created,
        updated=run.updated,
        unchanged=run.unchanged,
        skipped=run.skipped,
        remaining=run.remaining,
        done=run.done,
        percent=status.percent,
        error_summary=[error_group(each) for each in run.error_summary],
        warnings=[warning_group(each) for each in run.warnings],
        file_bytes=run.file_bytes,
        file_sha256=run.file_sha256,
        links=wire.RunLinks(self=own, problems=f"{own}/problems", failed_rows=f"{own}/failed-rows.csv"),
        **{name: value for name, value in optional.items() if value is not None},
    )


def pulled_shown(run: Run) -> dict[str, object]:
    """Of a file that is pulled: from where, how much is here, and only then how it is read."""
    dialect = dialect_shown(run)
    return {
        "source": None if run.source is None else wire.Source(**run.source),
        "fetched_bytes": None if run.source is None else run.fetched_bytes,
        "dialect": wire.Dialect(**dialect) if dialect else None,
    }


def dialect_shown(run: Run) -> dict[str, str]:
    """How the file is read; nothing before it is here."""
    given = run.plan.get("dialect", {})
    return {name: given[name] for name in ("format", "delimiter", "encoding") if name in given}


def options_shown(run: Run) -> wire.Options:
    given = run.options
    pending = "dialect" not in run.plan
    constants = load_pending_plan(run).mapping.constants if pending else load_plan(run).constants
    coupon_set = constants.get("couponSetId")
    optional = {
        "coupon_set_id": None if coupon_set is None else json.loads(coupon_set),
        "null_marker": given["null_marker"],
        "unknown_columns": given["unknown_columns"],
    }
    return wire.Options(
        delimiter=load_pending_plan(run).read.delimiter if pending else run.plan["dialect"]["delimiter"],
        override_existing=given["override_existing"],
        update_only_empty_fields=given["only_empty"],
        blank_cells=given["blank_cells"],
        duplicates=given["duplicates"],
        **{name: value for name, value in optional.items() if value is not None},
    )


def error_group(group: Mapping[str, Any]) -> wire.ErrorGroup:
    return wire.ErrorGroup.model_validate(group)


def warning_group(group: Mapping[str, Any]) -> wire.WarningGroup:
    return wire.WarningGroup.model_validate(group)


def page_links(number: int, *, more: bool, address: Callable[[int], str]) -> wire.PageLinks:
    """`address` gives the address of a page by its number."""
    beside = {"next": number + 1 if more else 0, "prev": number - 1}
    return wire.PageLinks(**{name: address(page) for name, page in beside.items() if page > 0})


def failure_shown(failure: Failure, request: Request) -> Response:
    """Always application/json: a client of Connectif's reads nothing else."""
    status, code = ANSWERS[failure.code]
    return render_problem(failure, request, ProblemShape(status, code, HTTPStatus(status).phrase, "application/json"))


def rate_headers(left: Allowance) -> dict[str, str]:
    """As Connectif's clients read them."""
    return {
        "X-RateLimit-Limit": str(left.limit),
        "X-RateLimit-Remaining": str(left.remaining),
        "X-RateLimit-Reset": str(left.reset_at),
    }
