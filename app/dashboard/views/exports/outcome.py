"""What has come of an export: its file, and how far each delivery is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.dashboard.views.connections.fields import TRANSPORTS
from app.dashboard.views.connections.steps import REMEDIES, STEP_WORDS, Tone
from app.dashboard.words import count_of
from app.exports.destinations import Destination, describe_destinations
from app.exports.layout import load_file_options
from app.runs.model import Run
from app.runs.states import State

TONES: Final[Mapping[str, Tone]] = {"pending": "idle", "delivered": "ok", "failed": "bad"}


@dataclass(frozen=True, slots=True)
class DestinationView:
    """`connection` is its name, "" if it was removed. `detail` is why the last try failed."""

    connection_id: str
    connection: str
    transport: str
    path: str
    words: str
    tone: Tone
    tries: int
    tried_at: datetime | None
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ExportView:
    """`file_name` is empty while there is no file. `for_spreadsheets`: it is a CSV, so it can be had for them."""

    id: str
    file_name: str
    size: int
    kept_until: datetime | None
    for_spreadsheets: bool
    destinations: Sequence[DestinationView]
    may_retry: bool


def show_export(run: Run, names: Mapping[str, str], *, may_retry: bool, retention_days: int) -> ExportView:
    """`names` are those of the connections, by id: `app.connections.connection.find_names`. `may_retry`: the visitor
    has the right to deliver again what failed."""
    ended = run.finished_at if run.state is State.FINISHED else None
    destinations = [show_destination(each, names.get(each.connection_id, "")) for each in describe_destinations(run)]
    return ExportView(
        run.id,
        run.file_name or run.id if run.blob else "",
        run.file_bytes,
        ended + timedelta(days=retention_days) if ended else None,
        load_file_options(run).format == "csv",
        destinations,
        may_retry and ended is not None and any(each.tone == "bad" for each in destinations),
    )


def list_connection_ids(run: Run) -> list[str]:
    """Those that the export names, for `find_names`."""
    return [each.connection_id for each in describe_destinations(run)]


def show_destination(destination: Destination, name: str) -> DestinationView:
    step = destination.failed_step or ""
    return DestinationView(
        destination.connection_id,
        name,
        TRANSPORTS[destination.transport][0],
        destination.path,
        describe_status(destination, step),
        TONES[destination.status],
        destination.tries,
        destination.tried_at,
        destination.error or "",
        REMEDIES.get(step, "") if destination.status == "failed" else "",
    )


def describe_status(destination: Destination, step: str) -> str:
    if destination.status == "failed":
        return f"Failed: {STEP_WORDS[step].lower()}" if step in STEP_WORDS else "Failed"
    if destination.status == "delivered":
        return "Delivered"
    return f"Waiting, after {count_of(destination.tries, 'try', 'tries')}" if destination.tries else "Waiting"
