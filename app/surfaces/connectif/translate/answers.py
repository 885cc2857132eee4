"""Renders a run as Connectif's import, and a failure as its answer."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import Response

from app.imports.plan import load_options, read_delimiter
from app.runs.holding.brakes import BRAKES
from app.runs.model import Run
from app.runs.states import HELD
from app.runs.status import Status
from app.runs.summary import told_groups
from app.surfaces.connectif.vocabulary import ANSWERS, STATUSES
from app.surfaces.connectif.wire import imports as wire
from app.throttle import Allowance
from app.web.failures import Failure, ProblemShape, render_problem
from app.web.runs.waits import render_wait
from app.web.shapes import RunFailure, Source, render_family


def to_wire(status: Status, *, base: str, retention_days: int, undoable_until: datetime | None) -> wire.Import:
    """The import as it was read. What is not set is left out. It looks at no clock: answers are kept."""
    run, own = status.run, f"{base}/imports/{status.run.id}"
    optional = {
        **render_names(status),
        "error_report_file_url": f"{own}/failed-rows.csv" if run.failed else None,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "outcome": status.outcome,
        "eta_seconds": status.eta_seconds,
        "queue_position": status.queue_position,
        **render_obstacles(status),
        **render_changes(run, undoable_until),
        **render_source(run),
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
        options=render_options(run),
        created_at=run.created_at,
        created=run.created,
        updated=run.updated,
        unchanged=run.unchanged,
        skipped=run.skipped,
        remaining=run.remaining,
        done=run.done,
        percent=status.percent,
        error_summary=[wire.ErrorGroup.model_validate(each) for each in told_groups(run.error_summary)],
        warnings=[wire.WarningGroup.model_validate(each) for each in run.warnings],
        file_bytes=run.file_bytes,
        file_sha256=run.file_sha256,
        links=link_import(run, own),
        **{name: value for name, value in optional.items() if value is not None},
    )


def link_import(run: Run, own: str) -> wire.RunLinks:
    held = run.state in HELD
    there = {
        "resume": held,
        "commit": held and run.is_dry_run,
        "cancel": not run.done,
        "changes": held and run.is_staged,
    }
    others = {word: f"{own}/{word}" for word, is_there in there.items() if is_there}
    files = {"failed_rows": f"{own}/failed-rows.csv", "results": f"{own}/results"}
    return wire.RunLinks(self=own, problems=f"{own}/problems", **files, **others)


def render_names(status: Status) -> dict[str, object]:
    """What people call the import and its file, the mapping that the request chose, and which imports it belongs to."""
    run = status.run
    names = {"name": run.name, "file_name": run.file_name, "mapping": render_mapping(run)}
    return {**names, "parent_id": run.parent_id, "relation": run.relation, "family": render_family(status.family)}


def render_changes(run: Run, undoable_until: datetime | None) -> dict[str, object]:
    """What it has removed, and whether its changes are taken back, or could be."""
    return {"removed": run.removed, "undone_by": run.undone_by, "undoable_until": undoable_until}


def render_obstacles(status: Status) -> dict[str, object]:
    """What it waits for, or why it goes no further."""
    run = status.run
    return {
        **render_wait(status),
        "held": run.state if run.state in HELD else None,
        "plan": run.plan_number,
        "failure": RunFailure(code=run.fail_code, detail=run.fail_detail or "") if run.fail_code else None,
    }


def render_mapping(run: Run) -> wire.ChosenMapping | None:
    chosen = run.options.get("mapping")
    if chosen is None:
        return None
    return wire.ChosenMapping(**{name: value for name, value in chosen.items() if value})


def render_source(run: Run) -> dict[str, object]:
    """For a file that is fetched: where it comes from, how much of it is here, and once it is here how it is read."""
    dialect = render_dialect(run)
    return {
        "source": None if run.source is None else Source(**run.source),
        "fetched_bytes": None if run.source is None else run.fetched_bytes,
        "dialect": wire.Dialect(**dialect) if dialect else None,
    }


def render_dialect(run: Run) -> dict[str, str]:
    """How the file is read. Empty until the file is here."""
    dialect = run.plan.get("dialect", {})
    return {name: dialect[name] for name in ("format", "delimiter", "encoding") if name in dialect}


def render_options(run: Run) -> wire.Options:
    options = load_options(run)
    coupon_set = run.options.get("constants", {}).get("couponSetId")
    optional = {
        "coupon_set_id": None if coupon_set is None else json.loads(coupon_set),
        "null_marker": options.null_marker,
        "unknown_columns": options.unknown_columns,
        "replace": options.replace or None,
        "mode": "delete" if options.deletes else None,
        "dry_run": options.dry_run or None,
        "on_error": None if options.on_error == "continue" else options.on_error,
        "if_same_file": None if options.if_same_file == "allow" else options.if_same_file,
        **{name: getattr(options.brakes, name, None) for name in BRAKES},
    }
    return wire.Options(
        delimiter=read_delimiter(run),
        override_existing=options.override_existing,
        update_only_empty_fields=options.only_empty,
        blank_cells=options.blank_cells,
        duplicates=options.duplicates,
        **{name: value for name, value in optional.items() if value is not None},
    )


def build_page_links(number: int, *, more: bool, address: Callable[[int], str]) -> wire.PageLinks:
    """`address` builds the address of a page from its number."""
    pages = {"next": number + 1 if more else 0, "prev": number - 1}
    return wire.PageLinks(**{name: address(page) for name, page in pages.items() if page > 0})


def render_failure(failure: Failure, request: Request) -> Response:
    """Always application/json: Connectif's clients read nothing else."""
    status, code = ANSWERS[failure.code]
    shape = ProblemShape(status, code, HTTPStatus(status).phrase, "application/json")
    return render_problem(failure, request, shape)


def build_rate_headers(left: Allowance) -> dict[str, str]:
    """Under the names that Connectif's clients read."""
    return {
        "X-RateLimit-Limit": str(left.limit),
        "X-RateLimit-Remaining": str(left.remaining),
        "X-RateLimit-Reset": str(left.reset_at),
    }
