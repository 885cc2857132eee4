"""How many polls one API process answers, and how fast, at rest and while an import runs."""

import json
import subprocess
import sys
from dataclasses import asdict
from urllib.parse import urlsplit

from benchmarks import files, floor
from benchmarks.load import Load, Target
from benchmarks.ours import Client
from benchmarks.report import Row, Section
from benchmarks.service import Service

CONNECTIONS, SECONDS = 32, 5.0


def polling(service: Service, sample: files.Sample) -> Section:
    floor.fresh(service.instance.database_url)
    key = service.key("polling")
    run = Client(service, key).post(sample)
    during = load(service, key, run)
    client = Client(service, key)
    still = client.get(run)["status"]
    client.ended(run)
    rest = load(service, key, run)
    note = (
        f"`GET /imports/{{id}}` on {CONNECTIONS} connections that stay open, for {SECONDS:.0f} s, by a client in a "
        f"process of its own on the same machine. The import was `{still}` when the measurement beside it ended."
    )
    rows = [row("One API process, nothing else to do", rest), row(f"… while {sample.rows:,} rows are imported", during)]
    return Section("Polling", rows, (note,))


def load(service: Service, key: str, run: str) -> Load:
    place = urlsplit(service.instance.api_url)
    target = Target(place.hostname or "", place.port or 80, f"/imports/{run}", key, CONNECTIONS, SECONDS)
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(command, input=json.dumps(asdict(target)), capture_output=True, text=True, check=True)
    return Load(**json.loads(done.stdout))


def row(what: str, load: Load) -> Row:
    figure = f"{load.rate:,.0f} requests/s; half within {load.median:.0f} ms, 99 % within {load.p99:.0f} ms"
    return Row(what, figure=figure)
