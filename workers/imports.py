"""The jobs of an import: one slice of one run, or the fetching of its file."""

from typing import Any

from app.imports.run import run_slice
from app.runs.model import RunId


async def import_slice(ctx: dict[str, Any], run_id: str) -> None:
    async with ctx["slices"]:
        await run_slice(ctx["runtime"], RunId(run_id), stopping=ctx["stopping"])


async def import_fetch(ctx: dict[str, Any], run_id: str) -> None:
    """Returns at once when as many are fetched as may be: a fetch takes minutes, and a job that waits for one would
    hold up the slices. The sweeper rings again."""
    if ctx["fetches"].locked():
        return
    async with ctx["fetches"]:
        await run_slice(ctx["runtime"], RunId(run_id), stopping=ctx["stopping"])
