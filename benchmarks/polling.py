"""How many polls one API process answers, and how fast, at rest and while an import runs."""

import json
import subprocess
import sys
from dataclasses import asdict
from typing import Final
from urllib.parse import urlsplit

from benchmarks import files, floor
from benchmarks.load import Load, Target
from benchmarks.ours import Client
from benchmarks.report import Row, Section, at_least, at_most
from benchmarks.service import Service

CONNECTIONS, SECONDS = 32, 5.0
LEAST_RATE: Final = 1_500  # requests a second of one API process that has nothing else to do
# Milliseconds within which 99 of 100 are answered, and the same while an import runs.
MOST_AT_REST, MOST_DURING = 40, 80


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
        f"process of its own on the same machine. The import of {sample.rows:,} rows was `{still}` when the "
        f"measurement beside it ended. Half took at most {rest.median:.0f} ms, and {during.median:.0f} ms beside it."
    )
    rows = [
        at_least("One API process, nothing else to do", rest.rate, LEAST_RATE, unit="requests/s"),
        at_most("… 99 % within", rest.p99, MOST_AT_REST, unit="ms"),
        Row("… beside an import", figure=f"{during.rate:,.0f} requests/s"),
        at_most("… 99 % within", during.p99, MOST_DURING, unit="ms"),
    ]
    return Section("Polling", rows, (note,))


def load(service: Service, key: str, run: str) -> Load:
    place = urlsplit(service.instance.api_url)
    target = Target(place.hostname or "", place.port or 80, f"/imports/{run}", key, CONNECTIONS, SECONDS)
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(command, input=json.dumps(asdict(target)), capture_output=True, text=True, check=True)
    return Load(**json.loads(done.stdout))
