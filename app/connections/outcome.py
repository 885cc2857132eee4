"""What a test of a connection found: step by step, and how it is kept with the connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from app.storage.json_columns import compile_reader

Purpose = Literal["import", "export"]


@dataclass(frozen=True, slots=True)
class CheckStep:
    """`detail` is what was seen; `error` is None if the step succeeded."""

    name: str
    detail: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LastTest:
    """The last test for a purpose since the connection was changed. `path` is the file, pattern or folder, without what
    may be secret of it."""

    at: datetime
    path: str
    steps: Sequence[CheckStep]

    @property
    def ok(self) -> bool:
        return is_ok(self.steps)


def is_ok(steps: Sequence[CheckStep]) -> bool:
    return all(step.error is None for step in steps)


read_last_tests = compile_reader(dict[Purpose, LastTest])


def outcome_to_json(path: str, steps: Sequence[CheckStep]) -> dict[str, Any]:
    """As `read_last_tests` reads it, without the time."""
    return {"path": path, "steps": [{"name": each.name, "detail": each.detail, "error": each.error} for each in steps]}
