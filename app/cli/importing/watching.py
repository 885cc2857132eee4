"""Polls an import until it has ended, or waits for somebody to decide."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import httpx

from app.cli.client.failures import failed_response, request_failed, retry_after_seconds
from app.cli.client.http import build_path, describe_error, request
from app.cli.importing.progress import OnProgress, ProgressStep
from app.cli.importing.status import MAX_WAIT_SECONDS, ImportResponse, ImportStatus, parse_import, pause_after

RETRIED_STATUSES: Final = frozenset({429, 500, 502, 503, 504})  # of a poll: the next one may succeed
UNCHANGED: Final = 304
FIRST_WAITS_SECONDS: Final = (0.1, 0.2, 0.3, 0.4)  # a small file is imported before the first Retry-After is over
PATIENCE_SECONDS: Final = 60.0  # how long the service may be unreachable before the client gives up
HELD_SECONDS: Final = 20  # for which the service may hold a poll until something has changed
POLL_TIMEOUT: Final = httpx.Timeout(HELD_SECONDS + 10, connect=10)


def load_import(client: httpx.Client, import_id: str) -> ImportResponse:
    """The import as it is now. Raises RequestFailed."""
    return parse_import(request(client, "GET", build_path("imports", import_id)))


def watch(
    client: httpx.Client, accepted: ImportResponse, on_progress: OnProgress, *, patience: float = PATIENCE_SECONDS
) -> ImportResponse:
    """Polls until the import has ended or is held. Raises RequestFailed if a poll is refused, or if the service cannot
    be reached for `patience` seconds."""
    answer, waits = accepted, iter(FIRST_WAITS_SECONDS)
    while not answer.run.is_settled:
        on_progress(import_step(answer.run))
        time.sleep(next(waits, answer.wait))
        answer = poll(client, answer, on_progress, patience=patience)
    on_progress(import_step(answer.run))
    return answer


def poll(client: httpx.Client, known: ImportResponse, on_progress: OnProgress, *, patience: float) -> ImportResponse:
    """The import after its next change, or as it is known after a while without one. Tries again while the service is
    temporarily unavailable."""

    def tell(note: str) -> None:
        on_progress(replace(import_step(known.run), note=note))

    response = poll_until_answered(client, ("imports", known.run.id), tell, patience=patience, tag=known.tag)
    if response.status_code == UNCHANGED:
        return replace(known, wait=pause_after(response))
    return parse_import(response)


def poll_until_answered(
    client: httpx.Client, work: tuple[str, str], on_trouble: Callable[[str], None], *, patience: float, tag: str
) -> httpx.Response:
    """The answer of a poll, with status UNCHANGED if nothing has changed since the one with this `tag`; `work` is the
    path of its kind and its id. Tries again while the service is temporarily unavailable. Raises RequestFailed."""
    deadline = time.monotonic() + patience
    headers = {"If-None-Match": tag, "Prefer": f"wait={HELD_SECONDS}"} if tag else {}
    for pause in backoff_seconds():
        try:
            response = client.get(build_path(*work), headers=headers, timeout=POLL_TIMEOUT)
            if response.is_success or response.status_code == UNCHANGED:
                return response
            if response.status_code not in RETRIED_STATUSES:
                raise failed_response(response)
            error = f"it answered {response.status_code}"
            wait = retry_after_seconds(response, longest=MAX_WAIT_SECONDS) or 0.0
        except httpx.RequestError as raised:
            error, wait = describe_error(raised), 0.0
        if time.monotonic() + max(pause, wait) > deadline:
            raise request_failed(
                "Service unavailable",
                f"The service at {client.base_url} has not been available for {patience:.0f} seconds: {error}. The "
                f"{work[0].removesuffix('s')} continues there",
            )
        on_trouble(f"the service is not available ({error}), trying again")
        time.sleep(max(pause, wait))
    raise AssertionError("backoff never ends")


def backoff_seconds() -> Iterator[float]:
    pause = 0.25
    while True:
        yield pause
        pause = min(pause * 2, 8.0)


def import_step(run: ImportStatus) -> ProgressStep:
    if run.status == "queued":
        note = f"waiting, position {run.queue_position} in the queue" if run.queue_position else "waiting"
    else:
        failed = f"{run.errors:,} failed" if run.errors else ""
        note = ", ".join(filter(None, (failed, f"waiting for {run.waiting_for}" if run.waiting_for else "")))
    return ProgressStep(
        "Importing", "rows", run.success + run.errors, run.total, note=note, seconds_left=run.eta_seconds
    )
