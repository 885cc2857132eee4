"""An observer that keeps the events of a process, and logs none."""

from app.observe import Observer
from app.observe.events import Event


class Collector(Observer):
    def __init__(self, events: list[Event]) -> None:
        super().__init__()
        self._events = events

    def __call__(self, event: Event) -> None:
        self._events.append(event)
