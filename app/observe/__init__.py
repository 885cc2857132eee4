"""What happens inside, said as events; logs and metrics decide what becomes of each."""

from app.observe.events import Event
from app.observe.logs import log
from app.observe.metrics import Metrics


class Observer:
    """Where a process says its events: `observe(BatchWritten(…))`."""

    def __init__(self) -> None:
        self.metrics = Metrics()

    def __call__(self, event: Event) -> None:
        log(event)
        self.metrics.count(event)
