"""The rows of an import with their outcomes, downloaded, beside the reading of the file by the engine's own reader."""

import time

from app.formats import open_reader
from app.formats.records import Dialect, Limits
from benchmarks import files
from benchmarks.memory import MOST_API, peaks, reset
from benchmarks.ours import PATIENCE, PAUSE, Client
from benchmarks.report import Row, Section, against, at_most
from benchmarks.service import Service

READ_ROWS, READ_BYTES = 10_000, 1_048_576  # at once, as the engine does
MOST = 4.0  # times the reading


def results_file(service: Service, sample: files.Sample) -> Section:
    client = Client(service, service.key("results"))
    run = client.post(sample)
    began = time.perf_counter()
    while client.fetch(f"/runs/{run}")["status"] != "finished":
        if time.perf_counter() - began > PATIENCE:
            raise RuntimeError(f"the import of {sample.path.name} does not end")
        time.sleep(PAUSE)
    floor = read(sample)
    reset(service)
    before = peaks(service).api
    seconds, size = client.download(f"/imports/{run}/results")
    failed, _ = client.download(f"/imports/{run}/results?outcome=failed")
    rows = [
        against("All rows with their outcome", floor, seconds, most=MOST),
        Row("Bytes a second", figure=f"{size / seconds / 1e6:.0f} MB"),
        Row("The failed rows alone, of which there are none", figure=f"{failed:.2f} s"),
        at_most("API memory, most", peaks(service).api, MOST_API, unit="MB"),
        Row("… of which before the downloads", figure=f"{before:.1f} MB"),
    ]
    notes = (f"{sample.rows:,} rows, {sample.size:,} bytes. The floor reads the file batch by batch and does nothing.",)
    return Section("The results file of an import", rows, notes)


def read(sample: files.Sample) -> float:
    """Seconds."""
    began = time.perf_counter()
    with sample.path.open("rb") as file:
        reader = open_reader(file, Dialect("csv"), Limits())
        batch = reader.read(reader.first, max_rows=READ_ROWS, max_bytes=READ_BYTES)
        while not batch.last:
            batch = reader.read(batch.end, max_rows=READ_ROWS, max_bytes=READ_BYTES)
    return time.perf_counter() - began
