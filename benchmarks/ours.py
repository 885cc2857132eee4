"""The service as a client sees it: sends a file straight from the disk and polls until its import has ended."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from benchmarks.files import Sample
from benchmarks.kinds import CONTACTS, Kind
from benchmarks.service import Service

BOUNDARY: Final = "benchmarks-5c1f0e"
PAUSE: Final = 0.05  # seconds between two polls
PATIENCE: Final = 900.0  # seconds
COUNTS: Final = ("created", "updated", "unchanged", "skipped", "errors")

Answer = dict[str, object]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one import: from the first byte of the POST to its answer, the service's own work, and all of it."""

    upload: float
    engine: float
    total: float
    rows: int
    counts: dict[str, int]


PIECE_BYTES = 262_144  # of a download that are read at once


class Client:
    """One connection to the service, kept open from a POST to the end of its import, on the surface of a kind."""

    def __init__(self, service: Service, key: str, kind: Kind = CONTACTS) -> None:
        self._surface = kind.surface
        host = service.instance.api_url.removeprefix("http://")
        self._connection = http.client.HTTPConnection(host, timeout=PATIENCE)
        self._headers = {"Authorization": f"apiKey {key}"}

    def timed(self, sample: Sample, *, pause: float = PAUSE) -> Timing:
        """Imports a file. Raises RuntimeError unless it ends well with every row in."""
        began = time.perf_counter()
        run = self.post(sample)
        uploaded = time.perf_counter() - began
        ended = self.ended(run, pause=pause)
        total = time.perf_counter() - began
        # Not every surface tells when the work began, nor what became of the rows.
        told = self.fetch(f"/imports/{run}")
        if ended["status"] != self._surface.done or told["success"] != sample.rows:
            raise RuntimeError(f"the import of {sample.path.name} ended badly: {ended}; {told}")
        counts = {name: int(str(told[name])) for name in COUNTS}
        return Timing(uploaded, moment(told["finishedAt"]) - moment(told["startedAt"]), total, sample.rows, counts)

    def post(self, sample: Sample) -> str:
        """Streams the file; the id of its import, once the service has accepted it."""
        head, tail = form(sample.path, self._surface.fields)
        connection = self._connection
        # The service closes a connection that was idle for some seconds, as this one may have been.
        connection.close()
        connection.putrequest("POST", self._surface.post)
        for name, value in self._headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
        connection.putheader("Content-Length", str(len(head) + sample.size + len(tail)))
        connection.endheaders()
        connection.send(head)
        with sample.path.open("rb") as file:
            connection.sock.sendfile(file)
        connection.send(tail)
        return str(self._answer(self._surface.accepted)[self._surface.id])

    def ended(self, run: str, *, pause: float = PAUSE) -> Answer:
        """Polls until the import has ended."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = self.get(run)
            if answer["status"] not in self._surface.going:
                return answer
            time.sleep(pause)
        raise TimeoutError(f"the import {run} has not ended")

    def get(self, run: str) -> Answer:
        return self.fetch(self._surface.poll.format(id=run))

    def send(self, path: str, body: Mapping[str, object]) -> Answer:
        """Posts JSON; the answer to what was accepted."""
        self._connection.close()
        headers = {**self._headers, "Content-Type": "application/json"}
        self._connection.request("POST", path, body=json.dumps(body), headers=headers)
        return self._answer(201)

    def read(self, path: str, size: int) -> bytes:
        """The first bytes of a file."""
        self._connection.request("GET", path, headers={**self._headers, "Range": f"bytes=0-{size - 1}"})
        return self._connection.getresponse().read()

    def download(self, path: str) -> tuple[float, int]:
        """Seconds and bytes of a whole file, of which nothing is kept."""
        began, size = time.perf_counter(), 0
        self._connection.request("GET", path, headers=self._headers)
        response = self._connection.getresponse()
        while piece := response.read(PIECE_BYTES):
            size += len(piece)
        return time.perf_counter() - began, size

    def undo(self, run: str) -> str:
        """The id of the undo of a run."""
        self._connection.request("POST", f"/runs/{run}/undo", headers=self._headers)
        return str(self._answer(201)["id"])

    def fetch(self, path: str) -> Answer:
        self._connection.request("GET", path, headers=self._headers)
        return self._answer(200)

    def _answer(self, expected: int) -> Answer:
        response = self._connection.getresponse()
        body = response.read()
        if response.status != expected:
            raise RuntimeError(f"the service answered {response.status}: {body[:500]!r}")
        answer: Answer = json.loads(body)
        return answer


def form(path: Path, fields: Mapping[str, str]) -> tuple[bytes, bytes]:
    """What comes before and after the bytes of the file."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    disposition = f'Content-Disposition: form-data; name="file"; filename="{path.name}"'
    parts.append(f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: text/csv\r\n\r\n")
    return "".join(parts).encode(), f"\r\n--{BOUNDARY}--\r\n".encode()


def moment(told: object) -> float:
    return datetime.fromisoformat(str(told)).timestamp()
