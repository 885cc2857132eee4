"""What a hint is made of: the evidence of a group of problems, and the cure that it suggests."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.mappings.mapping import Conversions
from app.resources.schema import Field

# `correct`: send `corrections` to POST /imports/{id}/corrections. `importAgain`: import the whole file again, with
# these `options`, or with this said of its `columns`.
Action = Literal["correct", "importAgain"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a group. `seen` has different bad values, none of them cut; of whole rows it has their text.
    `field` is None where the group is about whole rows."""

    seen: Sequence[str]
    field: Field | None = None
    conversions: Conversions = dataclasses.field(default_factory=dict)
    columns: int = 0  # that the header has
    delimiter: str = ","
    encoding: str = "utf-8"  # in which the file was read

    @property
    def written(self) -> list[str]:
        """The values that may be a number or a date: `n/a` says nothing about how these are written."""
        return [value for value in self.seen if any(map(str.isdigit, value))]


@dataclass(frozen=True, slots=True)
class Cure:
    """`told` goes into the sentence of the hint. `changes` are said of the column, as a correction or a mapping says
    them; `options` are those of a request."""

    told: Mapping[str, str] = dataclasses.field(default_factory=dict)
    changes: tuple[Mapping[str, Any], ...] = ()
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One kind of hint. `sentence` takes `{columns}` and what its cure tells. `types` are those of the fields that it
    is for; none: it is about whole rows. Without an `action` nothing but the hand of a person helps.

    `find` looks at the evidence, never at the file. It gives no cure that a value contradicts.
    """

    sentence: str
    codes: frozenset[str]
    find: Callable[[Evidence], Cure | None]
    types: frozenset[str] = frozenset()
    action: Action | None = None
