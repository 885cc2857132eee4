"""Sends spans to a collector, by OTLP over HTTP, from a thread of its own that nothing waits for.

Loaded only if a collector is configured. The library reads its own settings, `OTEL_…`, from the environment.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from time import time_ns
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
    format_trace_id,
    get_current_span,
    set_span_in_context,
    use_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bound_contextvars

from app.observe.events import BatchWritten, Event, LeaseLost, RunPostponed, SliceFailed
from app.observe.export_events import DeliveryFailed
from app.observe.traces import Attributes, TracedRun, Traces, WorkersTurn
from app.observe.webhook_events import WebhookNotDelivered

CLOSE_SECONDS = 2.0  # a collector that does not answer must not hold up the end of a process
NANOSECONDS = 1_000_000_000
PROPAGATOR: Final = TraceContextTextMapPropagator()
# Which ids the next span gets, where they follow from the run.
GIVEN: ContextVar[SpanContext | None] = ContextVar("given", default=None)


class RunIds(RandomIdGenerator):
    """Ids that follow from a run, so that each process knows those of the run's span, which is made at its end; all
    others are drawn."""

    def generate_span_id(self) -> int:
        given = GIVEN.get()
        return given.span_id if given else super().generate_span_id()

    def generate_trace_id(self) -> int:
        given = GIVEN.get()
        return given.trace_id if given else super().generate_trace_id()


class CollectedTraces(Traces):
    """Notes spans; a queue that is full, because the collector does not answer, drops them."""

    def __init__(self, endpoint: str, ca_file: Path | None) -> None:
        told = {"service.name": "sluice", "service.version": version("sluice")}
        self._provider = TracerProvider(
            id_generator=RunIds(),
            resource=Resource.create(told).merge(OTELResourceDetector().detect()),  # what the operator says is stronger
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=endpoint, certificate_file=str(ca_file) if ca_file else None)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("sluice")

    def tracer(self) -> Tracer:
        return self._tracer

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        PROPAGATOR.inject(carrier)
        return carrier.get("traceparent")

    def log_fields(self) -> Mapping[str, str]:
        here = get_current_span().get_span_context()
        return {"trace_id": format_trace_id(here.trace_id)} if here.is_valid else {}

    def describe(self, attributes: Attributes) -> None:
        get_current_span().set_attributes(dict(attributes))

    @contextmanager
    def turn(self, run: TracedRun, turn: WorkersTurn) -> Iterator[None]:
        of_run = self._locate(run)
        with giving(own_context(of_run, run, turn.attempt)):
            span = self._tracer.start_span(
                turn.name,
                set_span_in_context(NonRecordingSpan(of_run), Context()),
                SpanKind.CONSUMER,
                {**name_run(run), "sluice.attempt": turn.attempt},
                [] if turn.after is None else [Link(own_context(of_run, run, turn.after))],
            )
        with self._within(span):
            yield

    @contextmanager
    def part(self, run: TracedRun, name: str) -> Iterator[None]:
        of_run = set_span_in_context(NonRecordingSpan(self._locate(run)), Context())
        with self._within(self._tracer.start_span(name, of_run, SpanKind.CLIENT, name_run(run))):
            yield

    def note(self, event: Event) -> None:
        match event:
            case BatchWritten():
                end = time_ns()
                figures = {name: getattr(event, name) for name in BATCH_FIGURES}
                span = self._tracer.start_span(
                    "batch",
                    attributes={f"sluice.{name}": value for name, value in figures.items()},
                    start_time=end - int(event.seconds * NANOSECONDS),
                )
                span.end(end)
            case _ if failure := FAILURES.get(type(event)):
                mark_failed(get_current_span(), failure(event))

    def end(self, run: TracedRun, start: datetime, end: datetime, failure: str | None) -> None:
        parent = get_current_span(PROPAGATOR.extract({"traceparent": run.traceparent or ""}, Context()))
        with giving(self._locate(run)):
            span = self._tracer.start_span(
                run.name,
                set_span_in_context(parent, Context()),
                attributes=name_run(run),
                start_time=in_nanoseconds(start),
            )
        if failure:
            mark_failed(span, failure)
        span.end(in_nanoseconds(end))

    def _locate(self, run: TracedRun) -> SpanContext:
        """Of the run's span, in whatever process. Whether a run that begins a trace is noted follows from its id."""
        parent = get_current_span(PROPAGATOR.extract({"traceparent": run.traceparent or ""}, Context()))
        came_from, span_id = parent.get_span_context(), draw_id(8, run.id)
        if came_from.is_valid:
            return SpanContext(came_from.trace_id, span_id, is_remote=True, trace_flags=came_from.trace_flags)
        trace_id = draw_id(16, run.id)
        decision = self._provider.sampler.should_sample(None, trace_id, run.name).decision
        sampled = decision is Decision.RECORD_AND_SAMPLE
        flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        return SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)

    @contextmanager
    def _within(self, span: Span) -> Iterator[None]:
        # The text of an error may hold cells, so it is not recorded.
        with (
            use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False),
            bound_contextvars(**self.log_fields()),
        ):
            yield

    async def close(self) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # nobody has waited for it
                loop.call_soon_threadsafe(ended.set)

        # Not one of the loop's threads: the loop would wait for it at its end.
        Thread(target=shut_down, daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await ended.wait()


BATCH_FIGURES: Final = ("number", "created", "updated", "unchanged", "skipped", "failed")
# What a failed turn is called.
FAILURES: Final[Mapping[type[Event], Callable[..., str]]] = {
    SliceFailed: lambda event: str(event.error),
    RunPostponed: lambda event: str(event.error),
    LeaseLost: lambda _: "LeaseLost",
    DeliveryFailed: lambda event: f"delivery: {event.step}",
    WebhookNotDelivered: lambda event: str(event.status or "no answer"),
}


@contextmanager
def giving(ids: SpanContext) -> Iterator[None]:
    token = GIVEN.set(ids)
    try:
        yield
    finally:
        GIVEN.reset(token)


def draw_id(size: int, *of: object) -> int:
    """A number of so many bytes that always follows from the same values."""
    return int.from_bytes(blake2b(repr(of).encode(), digest_size=size).digest(), "big")


def own_context(of_run: SpanContext, run: TracedRun, attempt: int) -> SpanContext:
    """Of the span of a worker's turn."""
    span_id = draw_id(8, run.id, attempt)
    return SpanContext(of_run.trace_id, span_id, is_remote=True, trace_flags=of_run.trace_flags)


def name_run(run: TracedRun) -> Attributes:
    return {"sluice.run_id": run.id, **run.attributes}


def mark_failed(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)


def in_nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1_000
