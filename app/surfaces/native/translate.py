"""Records, problems and figures into our own shapes, and a failure into a problem document."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from fastapi import Request
from fastapi.responses import Response
from pydantic.alias_generators import to_snake

from app.connections.declaration import Declared
from app.connections.trial import Trial
from app.problems import Problem
from app.runs.model import Run
from app.runs.states import State
from app.surfaces.native import wire
from app.surfaces.native.readiness import PartStatus
from app.surfaces.native.vocabulary import STATUSES
from app.throttle import Allowance
from app.transports.transport import FileInfo
from app.web.failures import TITLES, Failure, ProblemShape, render_problem
from app.web.links import decode_cursor, encode_cursor, invalid_cursor
from app.web.shapes import format_timestamp

JSON, PROBLEM_JSON = "application/json", "application/problem+json"


def links(following: str | None) -> wire.Links:
    return wire.Links() if following is None else wire.Links(next=following)


def problem_list(found: Sequence[Problem], following: str | None) -> wire.ProblemList:
    return wire.ProblemList(links=links(following), results=[row_problem(each) for each in found])


def row_problem(found: Problem) -> wire.RowProblem:
    return wire.RowProblem(
        line=found.line,
        row=found.row,
        column=found.column,
        field=found.field,
        code=found.code,
        message=found.message,
        value=found.value,
        key=found.key,
    )


def record(row: Mapping[Any, Any], type: str) -> dict[str, object]:
    """As wire.Record, with the data as the text that it is stored as: no number goes through a float."""
    return {
        "type": type,
        "key": row["key"],
        "data": msgspec.Raw(row["data"].encode()),
        "createdAt": format_timestamp(row["created_at"]),
        "updatedAt": format_timestamp(row["updated_at"]),
        "importId": row["run_id"],
    }


def record_list(rows: Sequence[Mapping[Any, Any]], type: str, following: str | None) -> bytes:
    shown = {"links": {} if following is None else {"next": following}, "results": [record(row, type) for row in rows]}
    return msgspec.json.encode(shown)


def coupon_set(row: Mapping[Any, Any]) -> wire.CouponSet:
    return wire.CouponSet(
        id=row["id"],
        name=row["name"],
        quantity=row["quantity"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def connection(row: Mapping[Any, Any], stored: Declared) -> wire.Connection:
    shown = {to_snake(name): value for name, value in stored.settings.items()}
    times = {"created_at": row["created_at"], "updated_at": row["updated_at"]}
    return wire.Connection(id=row["id"], secrets=sorted(stored.secrets), **shown, **times)


def trial(tried: Trial) -> wire.Trial:
    steps = [
        wire.TrialStep(step=each.name, ok=True, found=each.found)
        if each.why is None
        else wire.TrialStep(step=each.name, ok=False, why=each.why)
        for each in tried.steps
    ]
    return wire.Trial(ok=tried.ok, steps=steps)


def begun(files: Sequence[FileInfo], runs: Sequence[Run]) -> wire.Begun:
    """`runs` are those of the first files; the other files found no room in the queue."""
    # Without the query of a web address, which may be a token.
    paths = [file.path.partition("?")[0] for file in files]
    started = [wire.BegunImport(import_id=run.id, path=path) for run, path in zip(runs, paths, strict=False)]
    left = len(files) - len(runs)
    following = file_cursor(files[len(runs) - 1]) if left else None
    return wire.Begun(matched=len(files), left=left, next=following, results=started)


def file_cursor(file: FileInfo) -> str:
    return encode_cursor(f"{file.modified.isoformat() if file.modified else ''} {file.path}")


def file_from(cursor: str | None) -> FileInfo | None:
    """Raises Refused("invalid") for anything that we have not given out."""
    told = decode_cursor(cursor, "after")
    if told is None:
        return None
    time_, blank, path = told.partition(" ")
    try:
        modified = datetime.fromisoformat(time_) if time_ else None
    except ValueError:
        raise invalid_cursor("after") from None
    if not blank or (modified is not None and modified.tzinfo is None):
        raise invalid_cursor("after")
    return FileInfo(path, modified=modified)


def gauges(figures: Iterable[Mapping[Any, Any]]) -> str:
    """The runs of all accounts, in Prometheus' text format."""
    by_state = {each["state"]: each for each in figures}
    lines = ["# HELP sluice_runs Imports by state", "# TYPE sluice_runs gauge"]
    lines += [
        f'sluice_runs{{state="{state}"}} {by_state[state]["runs"] if state in by_state else 0}' for state in State
    ]
    oldest = by_state[State.QUEUED]["oldest"] if State.QUEUED in by_state else 0
    lines += ["# HELP sluice_queue_oldest_seconds Age of the import that has waited longest"]
    lines += ["# TYPE sluice_queue_oldest_seconds gauge", f"sluice_queue_oldest_seconds {float(oldest):.3f}"]
    return "\n".join(lines) + "\n"


def ready(parts: Iterable[PartStatus]) -> wire.Readiness:
    shown = {each.part: wire.Part(ok=True) if each.why is None else wire.Part(ok=False, why=each.why) for each in parts}
    return wire.Readiness(ready=all(part.ok for part in shown.values()), parts=shown)


def failure_shown(failure: Failure, request: Request) -> Response:
    said = ProblemShape(STATUSES[failure.code], failure.code, TITLES[failure.code], PROBLEM_JSON)
    return render_problem(failure, request, said)


def rate_headers(left: Allowance) -> dict[str, str]:
    """The names of the IETF's early drafts, which most clients know; `Reset` in seconds from now."""
    return {
        "RateLimit-Limit": str(left.limit),
        "RateLimit-Remaining": str(left.remaining),
        "RateLimit-Reset": str(max(0, left.reset_at - int(time.time()))),
    }
