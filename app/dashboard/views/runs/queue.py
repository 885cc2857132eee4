"""The card that explains the queue: who holds the places, and which of them will be free first."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.dashboard.views.runs.badge import KIND_WORDS, badge_of, title_of
from app.dashboard.words import count_of
from app.runs.kinds import Kind
from app.runs.overview.queue import Queue
from app.runs.status import Status


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place that is taken, and by what."""

    id: str
    title: str
    state: str
    eta_seconds: int | None


@dataclass(frozen=True, slots=True)
class QueueCard:
    """`places` are those that are taken; `first` will be free first, if that can be told."""

    kind: str
    words: str
    waits: bool
    full: bool
    places: list[PlaceView]
    first: PlaceView | None


def queue_cards(queues: Mapping[Kind, Queue]) -> list[QueueCard]:
    """Of imports always, of other kinds while something is open."""
    return [card_of(queue) for kind, queue in queues.items() if kind is Kind.IMPORT or queue.open]


def card_of(queue: Queue) -> QueueCard:
    first = queue.ends_first
    return QueueCard(
        kind=KIND_WORDS[queue.kind].lower(),
        words=tell_queue(queue),
        waits=bool(queue.waiting),
        full=queue.full,
        places=[place_of(each) for each in queue.open],
        first=place_of(first) if first else None,
    )


def place_of(status: Status) -> PlaceView:
    return PlaceView(status.run.id, title_of(status.run), badge_of(status).words, status.eta_seconds)


def tell_queue(queue: Queue) -> str:
    """ "3 of 10 places for imports taken: 1 runs, 2 wait"."""
    parts = [(len(queue.running), "runs", "run"), (len(queue.waiting), "waits", "wait")]
    parts.append((len(queue.held), "needs a decision", "need a decision"))
    told = [f"{number:,} {one if number == 1 else many}" for number, one, many in parts if number]
    taken = f"{len(queue.open):,} of {count_of(queue.limit, 'place')} for {KIND_WORDS[queue.kind].lower()}s taken"
    return f"{taken}: {', '.join(told)}" if told else taken
