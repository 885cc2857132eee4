"""Reads the list of jobs, for the page and for its stream."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.dashboard.live.page import Moment
from app.dashboard.render import render_block, render_part
from app.dashboard.views.runs.jobs import Job, job_from
from app.dashboard.views.runs.queue import queue_cards
from app.dashboard.views.runs.run import may_cancel
from app.dashboard.visitor import Visitor
from app.runs.kinds import Kind
from app.runs.overview.queue import read_queues
from app.runs.status import RunQuery, count_newer, list_by_id
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.web.runs.reading import visible_kinds
from app.web.server.readiness import PartStatus, check_parts

TEMPLATE: Final = "jobs.html"
CELLS: Final = ("state", "progress", "rows", "failed")  # macros of parts/jobs.html, and the beginnings of ids
PAGE_SIZE: Final = 25
CHECK_SECONDS: Final = 5.0


@dataclass(slots=True)
class LiveJobs:
    """The rows that a page shows stay where they are, and change in place. What came since is counted: `query` finds
    what is newer than the newest row."""

    runtime: Runtime
    visitor: Visitor
    ids: Sequence[str]  # of the rows that may still change
    query: RunQuery
    address: str  # of the first page with these filters
    troubles: Sequence[PartStatus] = ()
    checked_at: float | None = None

    async def read(self) -> Moment:
        account_id = self.visitor.account_id
        await self.check()
        async with self.runtime.database.read() as session:
            queue = await read_queue_cards(session, self.runtime, self.visitor)
            listed = await list_by_id(session, account_id, self.query.kinds, self.ids)
            arrived = await count_newer(session, account_id, self.query, limit=PAGE_SIZE)
        context = {"troubles": self.troubles, "arrived": arrived, "first": self.address, **queue}
        regions = {name: render_block(TEMPLATE, name, **context) for name in ("banners", "queue", "arrived", "now")}
        for status in listed:
            regions |= render_cells(job_from(status, None, may_cancel=may_cancel(status.run, self.visitor)))
        self.ids = [status.run.id for status in listed if not status.run.done]
        return Moment(regions, moves=bool(queue["moving"]))

    async def check(self) -> None:
        """Now and then: some of the parts are other servers."""
        now = time.monotonic()
        if self.checked_at is None or now - self.checked_at >= CHECK_SECONDS:
            self.checked_at, self.troubles = now, await find_troubles(self.runtime)


def render_cells(job: Job) -> dict[str, str]:
    return {f"{cell}-{job.run.id}": render_part("jobs", f"{cell}_cell", job) for cell in CELLS}


async def find_troubles(runtime: Runtime) -> list[PartStatus]:
    """The parts of the service that do not work."""
    return [part for part in await check_parts(runtime) if part.error is not None]


async def read_queue_cards(session: ReadSession, runtime: Runtime, visitor: Visitor) -> dict[str, Any]:
    """What the card of the queue needs, how many runs move, and what is read out when that changes."""
    queues: Mapping[Kind, Any] = await read_queues(
        session, runtime, visitor.account_id, visible_kinds(visitor.caller, None)
    )
    cards = queue_cards(queues)
    moving = sum(len(queue.running) + len(queue.waiting) for queue in queues.values())
    return {"queues": cards, "moving": moving, "said": ". ".join(card.words for card in cards)}
