"""Traces: what a request, a run, a worker's turn at it and a batch took, sent to a collector if one is configured.

Without a collector nothing is loaded and nothing is noted. Spans carry identifiers and figures, as log events do, and
never cells, keys of records, paths, queries or texts of errors.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from app.errors import Misconfigured
from app.observe.events import Event

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

TRACES_PATH = "/v1/traces"
Attributes = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class TracedRun:
    """A run as its spans tell of it. `traceparent` is that of the request which it came from, as W3C spells it; without
    one the run begins a trace of its own."""

    id: str
    name: str  # its kind
    traceparent: str | None
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkersTurn:
    """A worker's turn at a run: its claim number `attempt`; `after` is that of a lost worker before it."""

    name: str  # kind and step
    attempt: int
    after: int | None


class Traces:
    """Notes nothing: no collector is configured. What does is `app.observe.traces.collected`."""

    def tracer(self) -> "Tracer | None":
        """For the spans of requests, which FastAPI makes."""
        return None

    def traceparent(self) -> str | None:
        """Of what is being done, to be stored with the run that comes from it."""
        return None

    def log_fields(self) -> Mapping[str, str]:
        """By which log lines and spans are found from each other."""
        return {}

    def describe(self, attributes: Attributes) -> None:
        """Adds attributes to the span of what is being done."""

    def turn(self, run: TracedRun, turn: WorkersTurn) -> AbstractContextManager[None]:  # noqa: ARG002
        """A span around a worker's turn at a run, a part of the run's."""
        return nullcontext()

    def part(self, run: TracedRun, name: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """A span around what is done for a run beside its turns."""
        return nullcontext()

    def note(self, event: Event) -> None:
        """Makes a span of an event that says how long it took, and marks that of the turn if the event is a failure."""

    def end(self, run: TracedRun, start: datetime, end: datetime, failure: str | None) -> None:
        """The span of a run, from its acceptance to its end. `failure` is the code of why it failed."""

    async def close(self) -> None:
        """Sends what is left, for a moment at most."""


def open_traces(url: str, ca_file: Path | None) -> Traces:
    """What notes traces for the collector with this address; without one it notes nothing. Raises Misconfigured."""
    endpoint = find_endpoint(url)
    if endpoint is None:
        return Traces()
    try:
        # Loaded only where it is used: it takes 12 MB of a process.
        collected = import_module("app.observe.traces.collected")
    except ModuleNotFoundError:
        raise Misconfigured(
            "SLUICE_TRACES_URL needs packages that are not installed. Install `sluice[traces]`, or unset it"
        ) from None
    return cast("Traces", collected.CollectedTraces(endpoint, ca_file))


def find_endpoint(url: str) -> str | None:
    """Where spans are sent: an address without a path gets OTLP's. None without an address. Raises Misconfigured, which
    does not repeat it."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and not parts.username and parts.port != 0
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment:
        raise Misconfigured(
            "SLUICE_TRACES_URL must look like `http://collector:4318`. A token goes to OTEL_EXPORTER_OTLP_HEADERS"
        )
    return url.rstrip("/") + TRACES_PATH if parts.path in ("", "/") else url
