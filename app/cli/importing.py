"""Sends a file to the service and follows its import to the end: what `sluice import` and `sluice demo` share."""

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import httpx

from app.cli.answers import ENDED, Answer, Run, asked_wait, refusal, understood

PASSING: Final = frozenset({429, 500, 502, 503, 504})  # answers to a poll that may be better in a moment
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})

FIRST_WAITS: Final = (0.1, 0.2, 0.3, 0.4)  # seconds; a small file is done before the first Retry-After is over
PATIENCE: Final = 60.0  # seconds that the service may be out of reach before the client gives up
# The service counts the rows before it answers a POST: seconds for a file of 50 MB, more on a busy machine.
SEND_TIMEOUT: Final = httpx.Timeout(60, connect=10, read=300)
POLL_TIMEOUT: Final = httpx.Timeout(10)


@dataclass(frozen=True, slots=True)
class Order:
    """A file and what is to become of it; the names of the options are those of the form parts."""

    path: Path
    type: str = "contacts"
    delimiter: str = "auto"
    override_existing: bool = True
    update_only_empty_fields: bool = False
    coupon_set_id: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """How far sending or importing has come. `total` None: not known yet; `left` is in seconds, None: not known."""

    doing: str
    unit: str  # "bytes" or "rows"
    done: int
    total: int | None
    note: str = ""
    left: float | None = None


Heard = Callable[[Step], None]


def connect(url: str, key: str) -> httpx.Client:
    """A client of the service at `url`; close it. Raises NotDone when the key or the address cannot be one."""
    if not key.strip():
        raise refusal("No key", "Give a key by --key or in SLUICE_KEY; `sluice key create` makes one")
    if not key.strip().isascii():
        raise refusal("Not a key", "The key holds characters that no key has")
    try:
        base = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise refusal("Not an address", f"{url}: {error}") from error
    if base.scheme not in {"http", "https"} or not base.host:
        raise refusal("Not an address", f"{url}: an address looks like http://127.0.0.1:8000")
    headers = {"Authorization": f"apiKey {key.strip()}", "User-Agent": "sluice-cli"}
    # A proxy from the environment is for the world outside, never for this machine.
    return httpx.Client(base_url=base, headers=headers, trust_env=base.host not in LOOPBACK)


def upload(client: httpx.Client, order: Order, heard: Heard) -> Answer:
    """Posts the file, read from disk as it is sent. Raises NotDone when it cannot be read, sent, or is refused."""
    try:
        with Read(order, heard) as file:
            files = {"file": (order.path.name, file, media_type(order.path))}
            response = client.post("imports", data=parts(order), files=files, timeout=SEND_TIMEOUT)
    except OSError as error:
        raise refusal("Unreadable file", f"{order.path}: {error.strerror}") from error
    except httpx.RequestError as error:
        raise refusal("No answer", f"{client.base_url}: {why(error)}") from error
    return understood(response)


class Read(io.FileIO):
    """A file that tells how much of it has been read."""

    def __init__(self, order: Order, heard: Heard) -> None:
        super().__init__(order.path)
        self.heard = heard
        self.length = order.path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(-1 if size is None else size) or b""
        self.heard(Step("Sending", "bytes", self.tell(), self.length))
        return chunk


def media_type(path: Path) -> str:
    return "application/x-ndjson" if path.suffix in {".jsonl", ".ndjson"} else "text/csv"


def parts(order: Order) -> dict[str, str]:
    """The form parts beside the file."""
    fixed = {
        "type": order.type,
        "delimiter": order.delimiter,
        "overrideExisting": str(order.override_existing).lower(),
        "updateOnlyEmptyFields": str(order.update_only_empty_fields).lower(),
    }
    return fixed | ({"couponSetId": order.coupon_set_id} if order.coupon_set_id else {})


def watch(client: httpx.Client, accepted: Answer, heard: Heard, *, patience: float = PATIENCE) -> Answer:
    """Polls until the import has ended. Raises NotDone when a poll is refused, or the service is out of reach for
    `patience` seconds."""
    answer, waits = accepted, iter(FIRST_WAITS)
    while answer.run.status not in ENDED:
        heard(step(answer.run))
        time.sleep(next(waits, answer.wait))
        answer = poll(client, answer.run, heard, patience=patience)
    heard(step(answer.run))
    return answer


def poll(client: httpx.Client, run: Run, heard: Heard, *, patience: float) -> Answer:
    """The import as it is now, asked for again while the service is in passing trouble."""
    deadline = time.monotonic() + patience
    for pause in backoff():
        try:
            response = client.get(f"imports/{run.id}", timeout=POLL_TIMEOUT)
            if response.status_code not in PASSING:
                return understood(response)
            trouble, asked = f"it answers {response.status_code}", asked_wait(response, default=0)
        except httpx.RequestError as error:
            trouble, asked = why(error), 0.0
        if time.monotonic() + max(pause, asked) > deadline:
            raise refusal("No answer", f"{client.base_url}: {trouble}, for {patience:.0f} s; the import goes on")
        heard(replace(step(run), note=f"the service is out of reach ({trouble}), trying again"))
        time.sleep(max(pause, asked))
    raise AssertionError("backoff never ends")


def backoff() -> Iterator[float]:
    pause = 0.25
    while True:
        yield pause
        pause = min(pause * 2, 8.0)


def step(run: Run) -> Step:
    if run.status == "queued":
        note = f"waiting, place {run.queue_position} in the queue" if run.queue_position else "waiting"
    else:
        note = f"{run.errors:,} failed" if run.errors else ""
    return Step("Importing", "rows", run.success + run.errors, run.total, note=note, left=run.eta_seconds)


def why(error: httpx.RequestError) -> str:
    if isinstance(error, httpx.ConnectError):
        return f"no connection ({error})"
    return str(error) or type(error).__name__
