"""Events, and what becomes of them: log lines, metrics and spans of traces."""

from app.observe.events import Event
from app.observe.logs import log
from app.observe.metrics import Metrics
from app.observe.traces import Traces


class Observer:
    """Takes the events of one process: `observe(BatchWritten(…))` logs, counts and traces one."""

    def __init__(self, traces: Traces | None = None) -> None:
        self.metrics = Metrics()
        self.traces = traces or Traces()

    def __call__(self, event: Event) -> None:
        log(event)
        self.metrics.count(event)
        self.traces.note(event)
