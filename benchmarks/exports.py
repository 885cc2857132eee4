r"""An export beside `\copy` of the same columns in psql, and whether memory stays level as exports grow."""

import csv
import io
import time
from pathlib import Path
from typing import Final

from benchmarks import files, floor
from benchmarks.memory import Peaks, peaks, reset
from benchmarks.ours import PATIENCE, PAUSE, Client
from benchmarks.report import Row, Section, against, level
from benchmarks.service import Service

ROUNDS: Final = 3
MOST: Final = 1.15  # of the floor's time
HEAD_BYTES: Final = 65_536

# Nine records more for each that was imported.
MULTIPLY: Final = """
INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_id, run_seq, run_row)
SELECT account_id, type, n || key, data || jsonb_build_object('_email', n || key),
    created_at + n * interval '1 hour', updated_at + n * interval '1 hour', run_id, run_seq, run_row
FROM records CROSS JOIN generate_series(1, 9) AS n"""
# The condition of an export, so that both find the records in the same way.
COPY: Final = (
    r"\copy (SELECT {cells} FROM records WHERE account_id = {account} AND type = 'contacts' ORDER BY key) "
    r"TO '{path}' WITH (FORMAT csv, HEADER)"
)


def exports(service: Service, folder: Path, records: int) -> Section:
    """Exports so many records, and before that a tenth of them."""
    url, client = service.instance.database_url, Client(service, service.key("exports"))
    floor.fresh(url)
    client.timed(files.make(folder, records // 10))
    floor.settled(url)
    _, before, _ = export(service, client, records // 10)
    floor.psql(url, MULTIPLY)
    by_hand, ours, highest = [], [], before
    for _ in range(ROUNDS):
        floor.settled(url)
        seconds, highest, run = export(service, client, records)
        ours.append(seconds)
        by_hand.append(copy(url, folder / "exported.csv", columns=read_columns(client, run)))
    told = ((f"{each:.2f}" for each in times) for times in (by_hand, ours))
    grown = f"{records // 10:,} → {records:,} records"
    rows: list[Row] = [
        against(f"Export of {records:,} contacts", min(by_hand), min(ours), most=MOST),
        level(f"Worker memory, {grown}", (before.worker, highest.worker), unit="MB"),
        level(f"API memory, {grown}", (before.api, highest.api), unit="MB"),
    ]
    notes = (
        "The floor is `\\copy` of the same columns in the same order to a file, in psql.",
        f"Ours is from the POST to `finished`, as seen by polling every 50 ms. The best of {ROUNDS} rounds by turns.",
        "Floor {} s; ours {} s".format(*(", ".join(each) for each in told)),
    )
    return Section("Export beside psql", rows, notes)


def export(service: Service, client: Client, records: int) -> tuple[float, Peaks, str]:
    """Seconds of an export, the memory, and its id. Raises RuntimeError unless every record is in it."""
    reset(service)
    began = time.perf_counter()
    answer = client.send("/exports", {"type": "contacts"})
    while answer["status"] in {"queued", "running"} and time.perf_counter() - began < PATIENCE:
        time.sleep(PAUSE)
        answer = client.fetch(f"/exports/{answer['id']}")
    seconds = time.perf_counter() - began
    if (answer["status"], answer["written"]) != ("finished", records):
        raise RuntimeError(f"the export ended badly: {answer}")
    return seconds, peaks(service), str(answer["id"])


def copy(url: str, path: Path, *, columns: list[str]) -> float:
    """Seconds that psql takes for the same columns."""
    cells = ", ".join(f"data ->> '{name}' AS \"{name}\"" for name in columns)
    account = floor.psql(url, "SELECT min(account_id) FROM records").strip()
    script = COPY.format(cells=cells, account=account, path=str(path).replace("'", "''"))
    began = time.perf_counter()
    floor.psql(url, script)
    return time.perf_counter() - began


def read_columns(client: Client, run: str) -> list[str]:
    """The columns of an export: the floor has to write the empty ones too."""
    head = client.read(f"/exports/{run}/file", HEAD_BYTES).decode("utf-8-sig", "ignore")
    return next(csv.reader(io.StringIO(head)))
