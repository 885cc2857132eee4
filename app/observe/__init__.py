"""Events, and what becomes of them: log lines and metrics."""

from app.observe.events import Event
from app.observe.logs import log
from app.observe.metrics import Metrics


class Observer:
    """Takes the events of one process: `observe(BatchWritten(…))` logs and counts one."""

    def __init__(self) -> None:
        self.metrics = Metrics()

    def __call__(self, event: Event) -> None:
        log(event)
        self.metrics.count(event)
