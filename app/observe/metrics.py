"""Counters and histograms for Prometheus, kept per process and fed by events."""

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest

from app.observe.events import (
    BatchWritten,
    EnqueueFailed,
    Event,
    MailNotSent,
    MailPutOff,
    RateLimitLost,
    RequestServed,
    RunEnded,
    RunRefused,
    RunRescued,
    SliceBroke,
)

OUTCOMES = ("created", "updated", "unchanged", "skipped", "failed")


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "sluice_request_seconds",
            "Requests by route and status",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._rows = Counter("sluice_rows", "Rows that were given an outcome", ["outcome"], registry=self.registry)
        self._batches = Histogram("sluice_batch_seconds", "Time to write a batch", registry=self.registry)
        self._ended = Counter("sluice_runs_ended", "Imports that ended", ["state"], registry=self.registry)
        self._refused = Counter("sluice_runs_refused", "Imports that were refused", ["code"], registry=self.registry)
        self._trouble = Counter("sluice_trouble", "Crashes, lost rings and the like", ["kind"], registry=self.registry)

    def count(self, event: Event) -> None:
        match event:
            case RequestServed():
                self._requests.labels(event.method, event.route, event.status).observe(event.seconds)
            case BatchWritten():
                self._batches.observe(event.seconds)
                for outcome in OUTCOMES:
                    self._rows.labels(outcome).inc(getattr(event, outcome))
            case RunEnded():
                self._ended.labels(event.state).inc()
            case RunRefused():
                self._refused.labels(event.code).inc()
            case RunRescued() | EnqueueFailed() | RateLimitLost() | SliceBroke() | MailPutOff() | MailNotSent():
                self._trouble.labels(type(event).__name__).inc()

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)
