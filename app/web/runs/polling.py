"""Polls of a run: 304 for who has its newest version, and an answer that is held back until there is a newer one."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from app.auth.caller import Caller
from app.runs.kinds import Kind
from app.runs.model import Run, is_run_id, read_run_id
from app.runs.progress import WORKER
from app.runs.states import HELD, State
from app.runs.status import Status, retry_after
from app.runtime import Runtime
from app.storage.watching.versions import RunVersion, join_version, read_versions
from app.web.caller import find_caller
from app.web.requests import is_head
from app.web.responses.tags import has_already, not_modified, weak_tag
from app.web.runs.preferences import LONGEST_WAIT_SECONDS, read_wait
from app.web.runs.waiting import find_place, wait_for_change
from app.web.runs.waits import find_no_worker

TAG: Final[dict[str, Any]] = {"ETag": {"schema": {"type": "string", "examples": ['W/"1204"']}}}
APPLIED: Final[dict[str, Any]] = {"Preference-Applied": {"schema": {"type": "string", "examples": ["wait=30"]}}}
# Beside 304, what the answer to a poll has: of a list, and of a run.
UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"headers": TAG},
    304: {"description": "Nothing has changed since the answer with this `ETag`", "headers": TAG},
}
IF_NONE_MATCH: Final[dict[str, Any]] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The `ETag` of an earlier answer. The answer is 304 while nothing has changed since",
}
PREFER: Final[dict[str, Any]] = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "examples": ["wait=30"]},
    "description": f"`wait=30` holds the answer back until something has changed, for 30 seconds at most. The longest "
    f"is {LONGEST_WAIT_SECONDS}",
}
# What a route documents that answers polls of a run, and one that answers those of a list.
POLL: Final[dict[str, Any]] = {"parameters": [IF_NONE_MATCH, PREFER]}
LIST_POLL: Final[dict[str, Any]] = {"parameters": [IF_NONE_MATCH]}


@dataclass(frozen=True, slots=True)
class Poll:
    """What a poll comes to before the run is read. With `unchanged` that is the whole answer."""

    unchanged: Response | None = None
    applied: Mapping[str, str] = field(default_factory=dict)  # headers that tell which preference was followed

    def complete(self, response: Response) -> Response:
        """The answer that shows the run."""
        response.headers.update(self.applied)
        return response


async def begin_poll(request: Request, runtime: Runtime, caller: Caller, run_id: str, kinds: Collection[Kind]) -> Poll:
    """Holds the poll of a run of one of these kinds back if its headers ask for that, and compares what the client has
    already. Costs nothing without such headers. A run that is not there is for the route to refuse.

    Raises Refused("not_authenticated") if the key was revoked while it waited.
    """
    wait = None if is_head(request) else read_wait(request)
    if wait is None and "if-none-match" not in request.headers:
        return Poll()
    version = await find_version(runtime, caller, run_id, kinds)
    applied: dict[str, str] = {}
    if wait is not None and version is not None and not version.done:
        with find_place(runtime, caller.account_id) as free:
            if free and may_wait(request, version):
                await wait_for_change(
                    request, runtime, read_run_id(run_id), version.text, seconds=wait, until_gone=True
                )
                await find_caller(request, runtime)
                version = await find_version(runtime, caller, run_id, kinds)
        applied = {"Preference-Applied": f"wait={wait}"} if free else {}
    if version is None or not has_already(request, weak_tag(version.text)) or await shows_others(runtime, version):
        return Poll(applied=applied)
    return Poll(not_modified(weak_tag(version.text), **tell_retry(version), **applied), applied)


async def find_version(runtime: Runtime, caller: Caller, run_id: str, kinds: Collection[Kind]) -> RunVersion | None:
    own_id = read_run_id(run_id)
    version = await runtime.database.look_up(read_versions, own_id) if is_run_id(own_id) else None
    if version is None or version.account_id != caller.account_id or version.kind not in kinds:
        return None
    return version


def may_wait(request: Request, version: RunVersion) -> bool:
    """Whether the client knows how the run is now. One that has not said what it knows gets what waits for a person at
    once: it may not have seen that."""
    if "if-none-match" in request.headers:
        return has_already(request, weak_tag(version.text))
    return version.state not in HELD


async def shows_others(runtime: Runtime, version: RunVersion) -> bool:
    """Whether the answer tells what changes without the run: see `describe_run`."""
    return version.has_family or (version.state == State.QUEUED and await find_no_worker(runtime) is not None)


def describe_run(current: Status) -> dict[str, str]:
    """The headers of an answer that shows a run. There is no tag where its row was not read with its version, and none
    of what changes without the run: that no worker is there, and what became of the imports that came of it."""
    alone = current.family is None and not (current.wait and current.wait.code == WORKER)
    tag = {"ETag": weak_tag(version_of(current))} if current.run.version and alone else {}
    return tag | tell_retry(current.run)


def version_of(current: Status) -> str:
    return join_version(current.run.version, current.queue_position)


def tag_of_list(listed: Sequence[Status], following: object) -> str:
    """The tag of a page of a list; `following` is where the next one begins, if there is one. What a run waits for is
    a part of it, because whether a worker is there changes without the run; about when it starts is none."""
    versions = (f"{each.run.id} {version_of(each)} {each.wait and each.wait.detail}" for each in listed)
    return weak_tag(hashlib.sha256("\n".join((str(following), *versions)).encode()).hexdigest()[:32])


def tell_retry(run: Run | RunVersion) -> dict[str, str]:
    wait = retry_after(run)
    return {} if wait is None else {"Retry-After": str(int(wait.total_seconds()))}
