"""Shapes of health, readiness and metrics."""

from typing import Any, Final, Literal

from pydantic import Field

from app.web.shapes import Shape


class Health(Shape):
    status: Literal["ok"]


class PartReadiness(Shape):
    """Whether one part that the service depends on works."""

    ok: bool
    why: str = Field(default="", description="Why it does not work; absent if it does")


class Readiness(Shape):
    ready: bool
    parts: dict[str, PartReadiness] = Field(description="database, schema, redis, blobs, worker")


METRICS: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
