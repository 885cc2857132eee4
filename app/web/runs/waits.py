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
    return (await look_for_workers_of_all(runtime, [current]))[0]


async def look_for_workers_of_all(runtime: Runtime, listed: list[Status]) -> list[Status]:
    """The same for a list, with one look."""
    if not any(map(waits_for_its_turn, listed)):
        return listed
    nobody = await find_no_worker(runtime)
    if nobody is None:
        return listed
    return [replace(each, wait=Wait(WORKER, nobody)) if waits_for_its_turn(each) else each for each in listed]


def waits_for_its_turn(current: Status) -> bool:
    return current.wait is not None and current.wait.code == TURN


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
