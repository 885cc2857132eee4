"""What the stream of a page asks again and again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Moment:
    """A page as it is now: its regions by id, as HTML. `moves`: it will soon look otherwise; `ended`: never again."""

    regions: Mapping[str, str]
    moves: bool
    ended: bool = False


class LivePage(Protocol):
    """A page that can be read again."""

    async def read(self) -> Moment: ...
