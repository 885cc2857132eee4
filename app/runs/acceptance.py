"""Accepts runs: room in the account's queue, a place in its order of writes, and the row."""

import re
from collections.abc import Mapping
from typing import Any, Final

from app.errors import Members, Refused
from app.observe.events import RunAccepted
from app.queue.tasks import TASKS
from app.quotas.quota import load_runtime
from app.quotas.stored import ensure_bytes
from app.resources.invisible import UNSEEN_NAME, is_seen
from app.runs.kinds import KINDS, Kind, Step
from app.runs.model import AccountId, Run, run_from
from app.runs.overview.queue import Queue, first_free_in, measure_pace, read_queues
from app.runs.status import Status
from app.runtime import Runtime
from app.storage import runs
from app.storage.access import accounts
from app.storage.database import ReadSession, Session

RETRY_SECONDS: Final = 10  # after which a caller may try again who has too many uploads under way
NOT_A_NAME: Final = "`name` must be 1 to 200 characters long, without line breaks or surrounding spaces"

_control = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_is_line = re.compile(rf"[^\s{_control}](?:[^{_control}]{{0,198}}[^\s{_control}])?").fullmatch


def find_name_mistake(name: str) -> str | None:
    """Why people cannot call something this: it has to be one line, of which they see something."""
    if not _is_line(name):
        return NOT_A_NAME
    return None if is_seen(name) else UNSEEN_NAME


def parse_run_name(name: str) -> str:
    """What people call a run. Several runs may have one name. Raises ValueError."""
    mistake = find_name_mistake(name)
    if mistake:
        raise ValueError(mistake)
    return name


async def ensure_room(session: ReadSession, runtime: Runtime, account_id: AccountId, kind: Kind, size: int = 0) -> None:
    """Refuses before a file is read what `accept_run` would refuse afterwards; `size`: bytes of the file, as far as
    they are known. Raises Refused: queue_full, which tells what holds the places, and when the first of them is likely
    to be free; quota_reached."""
    rules = KINDS[kind]
    runtime = await load_runtime(session, runtime, account_id)
    limit = rules.queue_limit(runtime)
    if await runs.open_count(session, account_id, kind) < limit:
        await ensure_bytes(session, account_id, size)
        return
    queue = (await read_queues(session, runtime, account_id, [kind]))[kind]
    seconds = first_free_in(queue, await measure_pace(session, account_id, kind))
    members = Members(rules.read_scope, {"queue": describe_queue(queue)})
    raise Refused("queue_full", rules.queue_full.format(limit=limit), retry_after=seconds, members=members)


def describe_queue(queue: Queue) -> dict[str, Any]:
    """What holds the places, in the order of acceptance, as app.web.shapes.FullQueue."""
    return {"limit": queue.limit, "open": len(queue.open), "runs": [describe_place(each) for each in queue.open]}


def describe_place(status: Status) -> dict[str, Any]:
    run = status.run
    optional = {"name": run.name or run.file_name, "etaSeconds": status.eta_seconds, "waitingFor": run.waiting_for}
    told = {"id": run.id, "kind": run.kind, "type": run.type, "status": run.state, "percent": status.percent}
    return told | {name: value for name, value in optional.items() if value is not None}


async def accept_run(
    session: Session,
    runtime: Runtime,
    account_id: AccountId,
    kind: Kind,
    step: Step,
    values: Mapping[str, Any],
) -> Run:
    """Stores a queued run; `values` are the other columns of `runs`. The account's row is locked first: of 50
    parallel requests exactly as many are accepted as there is room for. `announce_run` it after the commit.

    Raises Refused: queue_full, quota_reached.
    """
    if KINDS[kind].numbered:
        values = {"seq": await accounts.next_seq(session, account_id), **values}
    else:
        await accounts.lock(session, account_id)
    await ensure_room(session, runtime, account_id, kind, values.get("file_bytes", 0))
    fixed = {"account_id": account_id, "kind": kind, "step": step, "traceparent": runtime.observe.traces.traceparent()}
    return run_from(await runs.add(session, {**fixed, **values}))


async def announce_run(runtime: Runtime, run: Run) -> Run:
    """Logs a run that was accepted, and tells the workers. Call it after the commit."""
    runtime.observe(RunAccepted(run.id, run.account_id, run.type, run.origin, run.file_bytes, run.total))
    small = run.total is not None and run.total <= runtime.settings.batch_rows
    await enqueue_run(runtime, run.id, run.kind, run.step, run.attempt, small=small)
    return run


async def enqueue_run(
    runtime: Runtime, run_id: str, kind: str, step: str, attempt: int, *, small: bool = False
) -> None:
    """Tells the workers that a run can go on; `small` is one that is done in a turn. Call it after the commit. When the
    queue cannot be reached that is only logged, because the sweeper enqueues the run again."""
    await runtime.enqueue(TASKS[kind, step].name, run_id, attempt, small=small)
