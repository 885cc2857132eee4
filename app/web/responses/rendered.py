"""Keeps the newest answers as they were sent, for polls that find nothing changed: see ADR 77."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

MOST_ANSWERS: Final = 64  # of a process
MOST_CHARACTERS: Final = 4_096  # of one answer, and of what it was made of


class RenderedAnswers:
    """Answers by what they are about, each with everything that it was made of.

    What an answer is made of is read for every request. An answer that was rendered before is sent again only if that
    is equal, so nothing has to be invalidated."""

    def __init__(self) -> None:
        # The one that was used last is the last.
        self._kept: OrderedDict[Hashable, tuple[object, bytes]] = OrderedDict()

    def render(self, about: Hashable, made_of: object, render: Callable[[], bytes]) -> bytes:
        """What `render` gives, which must depend on `about` and `made_of` alone, and not on the clock."""
        kept = self._kept.get(about)
        if kept is not None and kept[0] == made_of:
            self._kept.move_to_end(about)
            return kept[1]
        body = render()
        if max(len(body), len(repr(made_of))) > MOST_CHARACTERS:
            self._kept.pop(about, None)
            return body
        self._kept[about] = (made_of, body)
        self._kept.move_to_end(about)
        if len(self._kept) > MOST_ANSWERS:
            self._kept.popitem(last=False)
        return body
