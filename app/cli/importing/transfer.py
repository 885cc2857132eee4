"""Starts an import: sends a file, or names one that the service fetches, and waits for room if that is wished."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from app.cli.client.failures import RequestFailed, request_failed
from app.cli.client.http import get_object, request
from app.cli.importing.progress import OnProgress, ProgressStep
from app.cli.importing.sources import OpenFile, open_file
from app.cli.importing.status import ImportResponse, parse_import
from app.cli.importing.waiting import OnFull, try_until_accepted

# The service counts the rows before it answers a POST: seconds for a file of 50 MB, more on a busy machine.
SEND_TIMEOUT: Final = httpx.Timeout(60, connect=10, read=300)
# A smaller file is sent about as fast as its limit is asked for.
ASK_FROM_BYTES: Final = 1_048_576


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A file at `path` (`-` is standard input), or with `remote` one that the service fetches. `parts` are the options,
    named like the parts of the form."""

    path: Path
    parts: Mapping[str, str] = field(default_factory=dict)
    name: str = ""  # of the file, where it is not the one of the path
    remote: Mapping[str, object] | None = None
    address: str = "imports"  # of the path that takes it


def start_import(
    client: httpx.Client, wanted: ImportRequest, on_progress: OnProgress, on_full: OnFull | None = None
) -> ImportResponse:
    """Starts the import. With `on_full`, which is told each time, it waits while the account's queue is full.

    Raises RequestFailed if the file cannot be read or sent, or if it is refused.
    """
    if wanted.remote is not None:
        return post_until_accepted(client, wanted.address, on_full, json={**wanted.parts, **wanted.remote})

    def on_read(done: int, length: int | None) -> None:
        on_progress(ProgressStep("Sending", "bytes", done, length))

    with open_file(wanted.path, wanted.name, on_read, again=on_full is not None) as file:
        refuse_too_large(client, file)
        files = {"file": (file.name, file.stream, file.media_type)}
        return post_until_accepted(client, wanted.address, on_full, data=wanted.parts, files=files)


def refuse_too_large(client: httpx.Client, file: OpenFile) -> None:
    """Refuses a file before it is sent, if it is larger than this service accepts. Services older than `GET /limits`
    refuse it themselves. Raises RequestFailed."""
    if file.length is None or file.length < ASK_FROM_BYTES:
        return
    limit = find_file_limit(client)
    if limit is not None and file.length > limit:
        raise request_failed(
            "The file is too large",
            f"The file {file.name} has {file.length:,} bytes, and this service accepts at most {limit:,}. Split it, or "
            "compress it with gzip",
        )


def find_file_limit(client: httpx.Client) -> int | None:
    try:
        limit = get_object(client, "limits").get("maxFileBytes")
    except RequestFailed as failure:
        if failure.body.get("status") == httpx.codes.NOT_FOUND:
            return None
        raise
    return limit if isinstance(limit, int) else None


def post_until_accepted(client: httpx.Client, address: str, on_full: OnFull | None, **body: Any) -> ImportResponse:
    send = partial(request, client, "POST", address, timeout=SEND_TIMEOUT, **body)
    return parse_import(try_until_accepted(send, on_full))
