"""Sends a file to the service and polls its import until it has ended."""

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import httpx

from app.cli.importing.responses import (
    FINAL_STATUSES,
    ImportResponse,
    ImportStatus,
    parse_response,
    request_failed,
    retry_after_seconds,
)

RETRIED_STATUSES: Final = frozenset({429, 500, 502, 503, 504})  # of a poll: the next one may succeed
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})

FIRST_WAITS_SECONDS: Final = (0.1, 0.2, 0.3, 0.4)  # a small file is imported before the first Retry-After is over
PATIENCE_SECONDS: Final = 60.0  # how long the service may be unreachable before the client gives up
# The service counts the rows before it answers a POST: seconds for a file of 50 MB, more on a busy machine.
SEND_TIMEOUT: Final = httpx.Timeout(60, connect=10, read=300)
POLL_TIMEOUT: Final = httpx.Timeout(10)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A file and the options of its import, named like the form parts."""

    path: Path
    type: str = "contacts"
    delimiter: str = "auto"
    override_existing: bool = True
    update_only_empty_fields: bool = False
    coupon_set_id: str | None = None


@dataclass(frozen=True, slots=True)
class ProgressStep:
    """How far sending or importing has got. `total` and `seconds_left` are None while they are not known."""

    activity: str  # "Sending" or "Importing"
    unit: str  # "bytes" or "rows"
    done: int
    total: int | None
    note: str = ""
    seconds_left: float | None = None


OnProgress = Callable[[ProgressStep], None]


def open_client(url: str, key: str) -> httpx.Client:
    """An HTTP client for the service at `url`, to be closed. Raises RequestFailed if key or address are not valid."""
    if not key.strip():
        raise request_failed("No API key", "Set SLUICE_KEY or use --key. `sluice key create` creates a key")
    if not key.strip().isascii():
        raise request_failed(
            "Invalid API key",
            "The key contains characters that no key has. Copy it again as `sluice key create` printed it",
        )
    try:
        base = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise request_failed("Invalid address", f"{url}: {error}") from error
    if base.scheme not in {"http", "https"} or not base.host:
        raise request_failed("Invalid address", f"{url} does not look like http://127.0.0.1:8000")
    headers = {"Authorization": f"apiKey {key.strip()}", "User-Agent": "sluice-cli"}
    # Proxies from the environment are for other machines, never for this one.
    return httpx.Client(base_url=base, headers=headers, trust_env=base.host not in LOOPBACK)


def upload(client: httpx.Client, request: ImportRequest, on_progress: OnProgress) -> ImportResponse:
    """Posts the file and reads it as it is sent. Raises RequestFailed if that cannot be done, or if it is refused."""
    try:
        with MeteredFile(request.path, on_progress) as file:
            files = {"file": (request.path.name, file, media_type(request.path))}
            response = client.post("imports", data=form_fields(request), files=files, timeout=SEND_TIMEOUT)
    except OSError as error:
        raise request_failed("The file cannot be read", f"{request.path}: {error.strerror}") from error
    except httpx.RequestError as error:
        raise request_failed("No response", f"{client.base_url}: {describe_error(error)}") from error
    return parse_response(response)


class MeteredFile(io.FileIO):
    """A file that reports how much of it has been read."""

    def __init__(self, path: Path, on_progress: OnProgress) -> None:
        super().__init__(path)
        self._on_progress = on_progress
        self._length = path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(-1 if size is None else size) or b""
        self._on_progress(ProgressStep("Sending", "bytes", self.tell(), self._length))
        return chunk


def media_type(path: Path) -> str:
    return "application/x-ndjson" if path.suffix in {".jsonl", ".ndjson"} else "text/csv"


def form_fields(request: ImportRequest) -> dict[str, str]:
    """The form parts other than the file."""
    fields = {
        "type": request.type,
        "delimiter": request.delimiter,
        "overrideExisting": str(request.override_existing).lower(),
        "updateOnlyEmptyFields": str(request.update_only_empty_fields).lower(),
    }
    return fields | ({"couponSetId": request.coupon_set_id} if request.coupon_set_id else {})


def watch(
    client: httpx.Client, accepted: ImportResponse, on_progress: OnProgress, *, patience: float = PATIENCE_SECONDS
) -> ImportResponse:
    """Polls until the import has ended. Raises RequestFailed if a poll is refused, or if the service cannot be reached
    for `patience` seconds."""
    answer, waits = accepted, iter(FIRST_WAITS_SECONDS)
    while answer.run.status not in FINAL_STATUSES:
        on_progress(import_step(answer.run))
        time.sleep(next(waits, answer.wait))
        answer = poll(client, answer.run, on_progress, patience=patience)
    on_progress(import_step(answer.run))
    return answer


def poll(client: httpx.Client, run: ImportStatus, on_progress: OnProgress, *, patience: float) -> ImportResponse:
    """The import as it is now. Tries again while the service is temporarily unavailable."""
    deadline = time.monotonic() + patience
    for pause in backoff_seconds():
        try:
            response = client.get(f"imports/{run.id}", timeout=POLL_TIMEOUT)
            if response.status_code not in RETRIED_STATUSES:
                return parse_response(response)
            error, wait = f"answered {response.status_code}", retry_after_seconds(response, default=0)
        except httpx.RequestError as raised:
            error, wait = describe_error(raised), 0.0
        if time.monotonic() + max(pause, wait) > deadline:
            raise request_failed(
                "Service unavailable",
                f"{client.base_url}: {error} for {patience:.0f} seconds. The import continues on the server",
            )
        on_progress(replace(import_step(run), note=f"the service is not available ({error}), trying again"))
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
        note = f"{run.errors:,} failed" if run.errors else ""
    return ProgressStep(
        "Importing", "rows", run.success + run.errors, run.total, note=note, seconds_left=run.eta_seconds
    )


def describe_error(error: httpx.RequestError) -> str:
    if isinstance(error, httpx.ConnectError):
        return f"no connection ({error})"
    return str(error) or type(error).__name__
