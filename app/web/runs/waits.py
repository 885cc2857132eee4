"""Tells what a run waits for in the answers that show it."""

from dataclasses import replace
from typing import Any

from app.runs.progress import TURN, WORKER, Wait
from app.runs.status import Status
from app.runtime import Runtime
from app.storage import claims
from app.web.server.readiness import check_worker_there
from app.web.shapes import WaitsFor


async def look_for_workers(runtime: Runtime, current: Status) -> Status:
    """The same, but a run whose turn never comes, because nobody works on anything, waits for a worker."""
    if current.wait is None or current.wait.code != TURN:
        return current
    nobody = await find_no_worker(runtime)
    return current if nobody is None else replace(current, wait=Wait(WORKER, nobody))


async def find_no_worker(runtime: Runtime) -> str | None:
    """Why nobody works on anything; None if somebody does, or is there for it."""
    async with runtime.database.read() as session:
        if await claims.anyone_works(session):  # the queue would be asked for all that it holds
            return None
    return await check_worker_there(runtime)


def render_wait(current: Status) -> dict[str, Any]:
    """The members of an answer; each is None if it is to be left out."""
    wait = current.wait
    return {
        "waiting_for": None if current.run.done else current.run.waiting_for,
        "waits_for": None if wait is None else WaitsFor(code=wait.code, detail=wait.detail),
        "starts_at": None if wait is None else wait.until,
    }
