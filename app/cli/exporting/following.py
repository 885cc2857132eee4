"""Follows an export to its end, and downloads its file."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from app.cli.client.failures import JsonObject, RequestFailed, request_failed
from app.cli.client.files import STANDARD_OUTPUT, download
from app.cli.client.http import build_path, read_object
from app.cli.importing.progress import OnProgress, ProgressStep
from app.cli.importing.status import pause_after
from app.cli.importing.watching import FIRST_WAITS_SECONDS, PATIENCE_SECONDS, UNCHANGED, poll_until_answered


def watch_export(
    client: httpx.Client, started: JsonObject, on_progress: OnProgress, *, patience: float = PATIENCE_SECONDS
) -> JsonObject:
    """Polls until the export has ended. Raises RequestFailed if it failed, if a poll is refused, or if the service
    cannot be reached for `patience` seconds."""
    export, waits, wait, tag = started, iter(FIRST_WAITS_SECONDS), 1.0, ""
    while not export["done"]:
        step = export_step(export)
        on_progress(step)
        time.sleep(next(waits, wait))
        response = poll_until_answered(
            client,
            ("exports", export["id"]),
            lambda note, step=step: on_progress(replace(step, note=note)),  # type: ignore[misc]
            patience=patience,
            tag=tag,
        )
        wait, tag = pause_after(response), response.headers.get("ETag", "")
        export = export if response.status_code == UNCHANGED else read_object(response)
    on_progress(export_step(export))
    if "failure" in export:
        raise export_failed(export)
    return export


def export_failed(export: JsonObject) -> RequestFailed:
    return request_failed("The export failed", f"The export {export['id']} failed: {export['failure']['detail']}")


def export_step(export: dict[str, Any]) -> ProgressStep:
    position = export.get("queuePosition")
    waits = f"waiting for {export['waitingFor']}" if "waitingFor" in export else ""
    note = f"waiting, position {position} in the queue" if position else waits
    return ProgressStep(
        "Exporting", "rows", export["written"], export["total"], note=note, seconds_left=export.get("etaSeconds")
    )


def describe_delivery(destination: Mapping[str, Any]) -> str:
    """What has become of a destination, and the error of its latest try: `/out/a.csv: delivered`."""
    error = f". {destination['error']}" if "error" in destination else ""
    return f"{destination['path']}: {destination['status']}{error}"


def fetch_file(client: httpx.Client, export_id: str, output: Path | None) -> None:
    """Writes the file of an export. Raises RequestFailed."""
    download(client, build_path("exports", export_id, "file"), None if output == STANDARD_OUTPUT else output)
