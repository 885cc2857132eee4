"""Makes the shapes of exports."""

from collections.abc import Sequence
from datetime import timedelta

from app.exports.destinations import Destination, describe_destinations
from app.exports.layout import load_file_options
from app.mappings.mapping import DEFAULT
from app.runs.model import Run
from app.runs.status import Status
from app.surfaces.native.wire.exports import (
    Export,
    ExportDestination,
    ExportFile,
    ExportLinks,
    ExportList,
    ExportWarning,
)
from app.surfaces.native.wire.shape import Links
from app.web.runs.waits import render_wait
from app.web.shapes import RunFailure


def render_export(status: Status, *, base: str, retention_days: int, in_list: bool = False) -> Export:
    """The export as it is at this moment. What is not set is left out, and so is in a list what may be large."""
    run, options, own = status.run, load_file_options(status.run), f"{base}/exports/{status.run.id}"
    optional = {
        "name": run.name,
        "parent_id": run.parent_id,
        "relation": run.relation,
        "filter": None if in_list else run.options.get("filter") or None,
        "eta_seconds": status.eta_seconds,
        "queue_position": status.queue_position,
        **render_wait(status),
        "failure": RunFailure(code=run.fail_code, detail=run.fail_detail or "") if run.fail_code else None,
        "file": None if run.blob is None else render_file(run, f"{own}/file"),
        "destinations": [render_destination(each) for each in describe_destinations(run)] or None,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "expires_at": run.finished_at + timedelta(days=retention_days) if run.finished_at else None,
    }
    return Export(
        id=run.id,
        type=run.type,
        status=run.state,
        format=options.format,
        delimiter=options.delimiter,
        encoding=options.encoding,
        gzip=options.gzip,
        formulas=options.formulas,
        mapping_id=run.options.get("mappingId", DEFAULT),
        total=run.total,
        written=run.success,
        done=run.done,
        percent=status.percent,
        warnings=[ExportWarning(code=each["code"], message=each["message"]) for each in run.warnings],
        created_at=run.created_at,
        links=ExportLinks(self=own, file=f"{own}/file", **({} if run.done else {"cancel": f"{own}/cancel"})),
        **{name: value for name, value in optional.items() if value is not None},
    )


def render_destination(destination: Destination) -> ExportDestination:
    optional = {
        "error": destination.error,
        "failed_step": destination.failed_step,
        "tried_at": destination.tried_at,
    }
    return ExportDestination(
        connection_id=destination.connection_id,
        path=destination.path,
        transport=destination.transport,
        status=destination.status,
        tries=destination.tries,
        **{name: value for name, value in optional.items() if value is not None},
    )


def render_file(run: Run, url: str) -> ExportFile:
    return ExportFile(name=run.file_name or "", bytes=run.file_bytes, sha256=run.file_sha256, url=url)


def render_list(statuses: Sequence[Status], next_page: str | None, *, base: str, retention_days: int) -> ExportList:
    results = [render_export(each, base=base, retention_days=retention_days, in_list=True) for each in statuses]
    return ExportList(links=Links() if next_page is None else Links(next=next_page), results=results)
