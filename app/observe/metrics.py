"""Counters and histograms for Prometheus, kept per process and counted from events."""

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest

from app.observe.events import (
    BatchWritten,
    EnqueueFailed,
    Event,
    MailDeferred,
    MailNotSent,
    RateLimitUnavailable,
    RequestServed,
    RunEnded,
    RunPostponed,
    RunRefused,
    RunRescued,
    SliceFailed,
)
from app.observe.export_events import DeliveryFailed, FileDelivered
from app.observe.feed_events import (
    FileDisposed,
    FileNotDisposed,
    FileNotStarted,
    FileStarted,
    FolderListed,
    FolderNotListed,
)
from app.observe.schedule_events import ScheduleSettled
from app.observe.webhook_events import WebhookDelivered, WebhookNotDelivered

OUTCOMES = ("created", "updated", "unchanged", "skipped", "failed")
FEED_ACTIONS = {FileStarted: "started", FileNotStarted: "not_started", FileNotDisposed: "not_disposed"}
# Counted one by one as trouble.
TROUBLES = (RunPostponed, RunRescued, EnqueueFailed, RateLimitUnavailable, SliceFailed, MailDeferred, MailNotSent)


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "sluice_request_seconds",
            "How long requests took, by method, route and status",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._rows = self._counter("sluice_rows", "Rows processed, by outcome", "outcome")
        self._batches = Histogram("sluice_batch_seconds", "How long it took to write a batch", registry=self.registry)
        self._ended = self._counter("sluice_runs_ended", "Runs of every kind that ended, by state", "state")
        self._deliveries = self._counter(
            "sluice_deliveries",
            "Tries to deliver a file, by what became of it: delivered, pending (it is tried again) or failed",
            "status",
        )
        self._schedules = self._counter(
            "sluice_schedules",
            "Schedules that were due, by what became of it: started, waiting (it is tried again), skipped or failed",
            "status",
        )
        self._looks = self._counter(
            "sluice_feed_looks", "Looks of feeds at their folders, by result: listed or failed", "result"
        )
        self._feed_files = self._counter(
            "sluice_feed_files",
            "Files of feeds, by what was done: started (an import), moved, deleted, gone or kept afterwards, or what "
            "failed: not_started, not_disposed",
            "action",
        )
        self._webhooks = self._counter(
            "sluice_webhook_messages",
            "Tries to send to a webhook: delivered, pending (tried again) or failed",
            "status",
        )
        self._refused = self._counter(
            "sluice_runs_refused", "Requests for an import that were refused, by code", "code"
        )
        self._trouble = self._counter("sluice_trouble", "Crashes and outages, by the event that reported them", "kind")

    def _counter(self, name: str, meaning: str, label: str) -> Counter:
        return Counter(name, meaning, [label], registry=self.registry)

    def count(self, event: Event) -> None:
        match event:
            case RequestServed():
                self._requests.labels(event.method, event.route, event.status).observe(event.ms / 1000)
            case BatchWritten():
                self._batches.observe(event.seconds)
                for outcome in OUTCOMES:
                    self._rows.labels(outcome).inc(getattr(event, outcome))
            case RunEnded():
                self._ended.labels(event.state).inc()
            case FileDelivered() | DeliveryFailed():
                self._deliveries.labels(getattr(event, "status", "delivered")).inc()
            case ScheduleSettled():
                self._schedules.labels(event.status).inc()
            case WebhookDelivered() | WebhookNotDelivered():
                self._webhooks.labels(getattr(event, "result", "delivered")).inc()
            case FolderListed() | FolderNotListed():
                self._looks.labels("listed" if isinstance(event, FolderListed) else "failed").inc()
            case FileStarted() | FileNotStarted() | FileDisposed() | FileNotDisposed():
                self._feed_files.labels(getattr(event, "outcome", FEED_ACTIONS.get(type(event)))).inc()
            case RunRefused():
                self._refused.labels(event.code).inc()
            case _ if isinstance(event, TROUBLES):
                self._trouble.labels(type(event).__name__).inc()

    def text(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(self.registry)
