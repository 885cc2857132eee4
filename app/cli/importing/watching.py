"""Polls an import until it has ended, or waits for somebody to decide."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import httpx

from app.cli.client.failures import failed_response, request_failed, retry_after_seconds
from app.cli.client.http import build_path, describe_error, request
from app.cli.importing.progress import OnProgress, ProgressStep
from app.cli.importing.status import MAX_WAIT_SECONDS, ImportResponse, ImportStatus, parse_import

RETRIED_STATUSES: Final = frozenset({429, 500, 502, 503, 504})  # of a poll: the next one may succeed
FIRST_WAITS_SECONDS: Final = (0.1, 0.2, 0.3, 0.4)  # a small file is imported before the first Retry-After is over
PATIENCE_SECONDS: Final = 60.0  # how long the service may be unreachable before the client gives up
POLL_TIMEOUT: Final = httpx.Timeout(10)


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
        answer = poll(client, answer.run, on_progress, patience=patience)
    on_progress(import_step(answer.run))
    return answer


def poll(client: httpx.Client, run: ImportStatus, on_progress: OnProgress, *, patience: float) -> ImportResponse:
    """The import as it is now. Tries again while the service is temporarily unavailable."""

    def tell(note: str) -> None:
        on_progress(replace(import_step(run), note=note))

    return parse_import(poll_until_answered(client, ("imports", run.id), tell, patience=patience))


def poll_until_answered(
    client: httpx.Client, work: tuple[str, str], on_trouble: Callable[[str], None], *, patience: float
) -> httpx.Response:
    """The answer of a poll; `work` is the path of its kind and its id. Tries again while the service is temporarily
    unavailable. Raises RequestFailed."""
    deadline = time.monotonic() + patience
    for pause in backoff_seconds():
        try:
            response = client.get(build_path(*work), timeout=POLL_TIMEOUT)
            if response.is_success:
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
