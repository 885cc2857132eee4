"""The job of an import: one slice of one run."""

from typing import Any

from app.imports.run import run_slice
from app.runs.model import RunId


async def import_slice(ctx: dict[str, Any], run_id: str) -> None:
    await run_slice(ctx["runtime"], RunId(run_id), stopping=ctx["stopping"])
