"""Makes the shapes of our own surface: from problems, records, connections, checks, metrics and failures."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from fastapi import Request
from fastapi.responses import Response
from pydantic.alias_generators import to_snake

from app.connections.check import ConnectionCheck
from app.connections.connection import ConnectionUse as StoredUse
from app.connections.connection import StoredConnection
from app.connections.outcome import CheckStep, LastTest
from app.connections.pull import omit_query
from app.declarations.types import build_resources
from app.imports.results.columns import DescribedColumn
from app.imports.results.sent_row import SentRow
from app.mappings.templates.fits import TemplateFit
from app.mappings.templates.stored import StoredTemplate, TemplateUse
from app.problems import Problem
from app.resources.declare import resource_to_json
from app.resources.registry import BUILT_IN
from app.resources.schema import Resource
from app.runs.changes.change import RecordChange
from app.runs.model import Run
from app.runs.states import ENDED, State
from app.storage.counts.records import Precision, RecordCount
from app.surfaces.native.wire.declared.connections import (
    Connection,
    ConnectionTest,
    ConnectionTestStep,
    ConnectionUse,
    LastConnectionTest,
    LastConnectionTests,
)
from app.surfaces.native.wire.declared.coupon_sets import CouponSet
from app.surfaces.native.wire.declared.mappings import MappingList, MappingSummary
from app.surfaces.native.wire.health import PartReadiness, Readiness
from app.surfaces.native.wire.imports import StartedImport, StartedImports
from app.surfaces.native.wire.problems import ProblemList, RowProblem
from app.surfaces.native.wire.records import RecordCountItem, RecordCountList
from app.surfaces.native.wire.shape import Links
from app.throttle import Allowance
from app.transports.transport import FileInfo
from app.web.failures import STATUSES, TITLES, Failure, ProblemShape, render_problem
from app.web.links import decode_cursor, encode_cursor, invalid_cursor
from app.web.server.readiness import PartStatus
from app.web.shapes import format_timestamp

PRECISIONS: Final[Mapping[Precision, Literal["exact", "estimated", "atLeast"]]] = {
    "exact": "exact",
    "estimated": "estimated",
    "at_least": "atLeast",
}
JSON, PROBLEM_JSON = "application/json", "application/problem+json"


def problem_list(problems: Sequence[Problem], next_page: str | None) -> ProblemList:
    links = Links() if next_page is None else Links(next=next_page)
    return ProblemList(links=links, results=[row_problem(each) for each in problems])


def row_problem(problem: Problem) -> RowProblem:
    of_file = {} if problem.file is None else {"file": problem.file}
    return RowProblem(
        **of_file,
        line=problem.line or None,
        row=problem.row or None,
        column=problem.column,
        field=problem.field,
        code=problem.code,
        message=problem.message,
        value=problem.value,
        key=problem.key,
    )


def encode_changes(links: Links, changes: Sequence[RecordChange]) -> bytes:
    """Has the shape of `ChangeList`. Values are written as they are stored. Blocking: they may be large."""
    return b'{"links":%b,"results":%b}' % (links.encoded(), msgspec.json.encode(changes))


def column_list(columns: Iterable[DescribedColumn]) -> bytes:
    """Has the shape of `ColumnList`."""
    results = [
        {"column": each.heading, "position": each.index, "found": each.found}
        | ({"field": each.field} if each.field else {})
        for each in columns
    ]
    return msgspec.json.encode({"links": {}, "results": results})


def record(row: Mapping[Any, Any], type: str) -> dict[str, object]:
    """Has the shape of `Record`. The data stays the text that is stored: no number passes through a float."""
    return {
        "type": type,
        "key": row["key"],
        "data": msgspec.Raw(row["data"].encode()),
        "createdAt": format_timestamp(row["created_at"]),
        "updatedAt": format_timestamp(row["updated_at"]),
        "importId": row["run_id"],
    }


def record_tag(updated_at: datetime) -> str:
    """The `ETag` of a record: each change of it is later than the one before, by a microsecond at least."""
    return f'"{updated_at:%Y%m%d%H%M%S%f}"'


def record_counts(counts: Mapping[str, RecordCount]) -> RecordCountList:
    results = [
        RecordCountItem(type=name, count=found.count, precision=PRECISIONS[found.precision])
        for name, found in counts.items()
    ]
    return RecordCountList(links=Links(), results=results)


def found_record(row: Mapping[Any, Any], type: str) -> dict[str, object]:
    """Has the shape of `FoundRecord`."""
    return record(row, type) | ({} if row["run_row"] is None else {"importRow": row["run_row"]})


def sent_row(row: SentRow) -> bytes:
    """Has the shape of `SentRowItem`."""
    cells = [{"column": column, "value": value} for column, value in row.cells]
    body = {"row": row.row, "line": row.line, "cells": cells}
    return msgspec.json.encode(body | ({"raw": row.raw} if row.raw else {}))


def record_list(rows: Sequence[Mapping[Any, Any]], type: str, next_page: str | None) -> bytes:
    links = {} if next_page is None else {"next": next_page}
    return msgspec.json.encode({"links": links, "results": [record(row, type) for row in rows]})


def record_type(resource: Resource) -> dict[str, object]:
    """Has the shape of `RecordType`."""
    built_in = BUILT_IN.get(resource.name)
    return {
        "name": resource.name,
        "builtIn": built_in is not None and built_in.keys == resource.keys,
        **resource_to_json(resource),
    }


def type_list(declarations: Mapping[str, str]) -> bytes:
    """All types of an account that has declared these (JSON text by name). Blocking."""
    return msgspec.json.encode({"links": {}, "results": [record_type(each) for each in build_resources(declarations)]})


def coupon_set(row: Mapping[Any, Any]) -> CouponSet:
    return CouponSet(
        id=row["id"],
        name=row["name"],
        quantity=row["quantity"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def mapping_template(template: StoredTemplate, uses: Sequence[TemplateUse]) -> bytes:
    """Has the shape of `MappingTemplate`. The mapping stays the text that is stored."""
    members: dict[str, object] = {"id": template.id, "name": template.name, "type": template.type}
    members |= msgspec.json.decode(template.wire, type=dict[str, msgspec.Raw])
    times = {"createdAt": template.created_at, "updatedAt": template.updated_at, "lastUsedAt": template.last_used_at}
    members |= {name: format_timestamp(at) for name, at in times.items() if at is not None}
    return msgspec.json.encode(members | {"usedBy": uses})


def template_fit(fit: TemplateFit) -> dict[str, object]:
    """Has the shape of `FittingTemplate`."""
    return {"id": fit.id, "name": fit.name, "fits": fit.fits, "columns": fit.columns}


def mapping_list(rows: Iterable[Mapping[Any, Any]], next_page: str | None) -> MappingList:
    links = Links() if next_page is None else Links(next=next_page)
    return MappingList(links=links, results=[mapping_summary(row) for row in rows])


def mapping_summary(row: Mapping[Any, Any]) -> MappingSummary:
    return MappingSummary(**{name: value for name, value in row.items() if value is not None})


def encode_template_cursor(row: Mapping[Any, Any]) -> str:
    return encode_cursor(f"{row['type']} {row['name']}")


def decode_template_cursor(cursor: str | None) -> tuple[str, str]:
    """The name and type of the last template that was seen. Raises Refused("invalid")."""
    type_name, _, name = (decode_cursor(cursor) or "").partition(" ")
    return name, type_name


def connection(stored: StoredConnection, uses: Sequence[StoredUse] | None = None) -> Connection:
    """Shows the names of the secrets, never the secrets. What is not known is left out."""
    optional: dict[str, Any] = {}
    if stored.last_tests:
        tests = {f"{purpose}_": render_test(test) for purpose, test in stored.last_tests.items()}
        optional["last_tests"] = LastConnectionTests(**tests)
    if uses is not None:
        optional["used_by"] = [ConnectionUse(kind=each.kind, id=each.id, name=each.name) for each in uses]
    return Connection(
        id=stored.id,
        secrets=sorted(stored.declaration.secrets),
        created_at=stored.created_at,
        updated_at=stored.updated_at,
        **optional,
        **{to_snake(member): value for member, value in stored.declaration.settings.items()},
    )


def render_test(test: LastTest) -> LastConnectionTest:
    return LastConnectionTest(at=test.at, path=test.path, ok=test.ok, steps=render_steps(test.steps))


def connection_test(check: ConnectionCheck) -> ConnectionTest:
    return ConnectionTest(ok=check.ok, steps=render_steps(check.steps))


def render_steps(steps: Iterable[CheckStep]) -> list[ConnectionTestStep]:
    return [
        ConnectionTestStep(step=each.name, ok=True, found=each.detail)
        if each.error is None
        else ConnectionTestStep(step=each.name, ok=False, why=each.error)
        for each in steps
    ]


def started_imports(scheme: str, files: Sequence[FileInfo], runs: Sequence[Run]) -> StartedImports:
    """`runs` are those of the first files; the other files found no room in the queue."""
    paths = [omit_query(scheme, file.path) for file in files]
    started = [StartedImport(import_id=run.id, path=path) for run, path in zip(runs, paths, strict=False)]
    left = len(files) - len(runs)
    cursor = encode_file_cursor(files[len(runs) - 1]) if left else None
    return StartedImports(matched=len(files), left=left, next=cursor, results=started)


def encode_file_cursor(file: FileInfo) -> str:
    return encode_cursor(f"{file.modified.isoformat() if file.modified else ''} {file.path}")


def decode_file_cursor(cursor: str | None) -> FileInfo | None:
    """Raises Refused("invalid") for a cursor that this service has not issued."""
    text = decode_cursor(cursor, "after")
    if text is None:
        return None
    time_, blank, path = text.partition(" ")
    try:
        modified = datetime.fromisoformat(time_) if time_ else None
    except ValueError:
        raise invalid_cursor("after") from None
    if not blank or (modified is not None and modified.tzinfo is None):
        raise invalid_cursor("after")
    return FileInfo(path, modified=modified)


def gauges(figures: Iterable[Mapping[Any, Any]]) -> str:
    """The open runs of all accounts, in the text format of Prometheus."""
    by_state = {each["state"]: each for each in figures}
    rows = sum(int(by_state[state]["rows"]) for state in (State.QUEUED, State.RUNNING) if state in by_state)
    lines = ["# HELP sluice_runs Open runs of every kind by state", "# TYPE sluice_runs gauge"]
    lines += [
        f'sluice_runs{{state="{state}"}} {by_state[state]["runs"] if state in by_state else 0}'
        for state in State
        if state not in ENDED
    ]
    oldest = by_state[State.QUEUED]["oldest"] if State.QUEUED in by_state else 0
    lines += [
        "# HELP sluice_queue_oldest_seconds Age of the queued run that has waited longest, of accounts that are active"
    ]
    lines += ["# TYPE sluice_queue_oldest_seconds gauge", f"sluice_queue_oldest_seconds {float(oldest):.3f}"]
    lines += ["# HELP sluice_rows_waiting Rows of queued and running runs of active accounts that have no outcome yet"]
    lines += ["# TYPE sluice_rows_waiting gauge", f"sluice_rows_waiting {rows}"]
    return "\n".join(lines) + "\n"


def readiness(parts: Iterable[PartStatus]) -> Readiness:
    shapes = {
        each.part: PartReadiness(ok=True) if each.error is None else PartReadiness(ok=False, why=each.error)
        for each in parts
    }
    return Readiness(ready=all(shape.ok for shape in shapes.values()), parts=shapes)


def render_failure(failure: Failure, request: Request) -> Response:
    shape = ProblemShape(STATUSES[failure.code], failure.code, TITLES[failure.code], PROBLEM_JSON)
    return render_problem(failure, request, shape)


def rate_headers(left: Allowance) -> dict[str, str]:
    """With the names of the IETF's early drafts, which most clients know. `Reset` is in seconds from now."""
    return {
        "RateLimit-Limit": str(left.limit),
        "RateLimit-Remaining": str(left.remaining),
        "RateLimit-Reset": str(max(0, left.reset_at - int(time.time()))),
    }
