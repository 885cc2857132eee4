"""`sluice emulate`: what a test suite of somebody else relies on, and that nothing of it is in a normal service."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from app.cli.serving.emulate import KEYS
from app.runtime import Runtime
from tests.support.http import CONTACTS, PARTS, app_on

ROOT = Path(__file__).resolve().parents[2]
EVERYTHING, READER, OTHER = (key.whole for key in KEYS)
COMMAND = [sys.executable, "-m", "app", "emulate", "--port", "0"]


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator. `folder` is where it has everything."""

    url: str
    process: subprocess.Popen[str]
    folder: Path
    said: str

    def client(self, key: str = EVERYTHING) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"apiKey {key}"}, timeout=30)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("emulator")
    for each in (folder, *folder.parents[:2]):  # for the account of the servers
        each.chmod(0o711)
    # What belongs to a real service must not be touched.
    foreign = {"SLUICE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/real", "SLUICE_DATA": "/nowhere"}
    with (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(
            COMMAND,
            cwd=ROOT,
            env={**os.environ, **foreign, "TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    said = ""
    while "Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, (folder / "errors").read_text()
        said += line
    url = re.search(r"ready at (\S+)", said)
    assert url is not None
    yield Emulator(url[1], process, folder, said)
    process.kill()
    process.communicate()


@pytest.fixture
def client(emulator: Emulator) -> Iterator[httpx.Client]:
    """A client whose test finds no faults and leaves none, in an account of its own."""
    with emulator.client() as client:
        account = client.post("/emulator/accounts")
        assert account.status_code == 201
        client.headers["Authorization"] = f"apiKey {account.json()['key']}"
        yield client
        assert client.delete("/emulator/faults").status_code == 204


def fail(client: httpx.Client, **fault: Any) -> None:
    answer = client.put("/emulator/faults", json={"faults": [fault]})
    assert answer.status_code == 200, answer.text


def send(client: httpx.Client, file: bytes = CONTACTS) -> httpx.Response:
    return client.post("/imports", data=PARTS, files={"file": ("contacts.csv", file, "text/csv")})


def watch(client: httpx.Client, sent: httpx.Response) -> dict[str, Any]:
    assert sent.status_code == 201, sent.text
    run, deadline = sent.json(), time.monotonic() + 60
    while not run["done"]:
        assert time.monotonic() < deadline
        run = client.get(f"/runs/{run['id']}", headers={"Prefer": "wait=20"}).json()
    return dict(run)


def rows(number: int) -> bytes:
    lines = [f"c{each}@example.org,Name {each},{each}" for each in range(number)]
    return "\n".join(["_email,_name,_points", *lines, ""]).encode()


def test_its_keys_are_always_the_same_and_are_told(emulator: Emulator) -> None:
    assert all(key.whole in emulator.said for key in KEYS)
    with emulator.client(READER) as reader, emulator.client(OTHER) as other, emulator.client() as everything:
        assert send(reader).status_code == 403
        run = watch(everything, send(everything))
        assert (run["status"], run["created"]) == ("finished", 2)
        assert reader.get(f"/runs/{run['id']}").status_code == 200
        assert other.get(f"/runs/{run['id']}").status_code == 404


def test_requests_fail_when_they_are_told_to_in_the_words_of_their_surface(client: httpx.Client) -> None:
    fail(client, fault="too_many_requests", method="POST", path="/imports*", nth=2, retryAfter=7)
    assert [send(client).status_code for _ in range(3)] == [201, 429, 201]
    fail(client, fault="too_many_requests", path="/imports/*")
    refused = client.get("/imports/1/")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert "X-Request-Id" in refused.headers

    fail(client, fault="queue_full", method="POST", times=None)
    connectif = send(client)
    assert (connectif.status_code, connectif.json()["code"]) == (400, "E0401")
    voucherify = client.post("/v1/customers/importCSV", files={"file": ("c.csv", CONTACTS, "text/csv")})
    assert (voucherify.status_code, voucherify.json()["key"]) == (429, "queue_full")
    assert client.get("/imports").status_code == 200

    fail(client, fault="slow", path="/runs", seconds=0.5)
    began = time.monotonic()
    assert client.get("/runs").status_code == 200
    assert time.monotonic() - began >= 0.5
    for fault, status in (("not_ready", 503), ("internal_error", 500)):
        fail(client, fault=fault, path="/runs")
        assert client.get("/runs").status_code == status
    told = client.get("/emulator/faults").json()["faults"]
    assert [(each["fault"], each["reached"]) for each in told] == [("internal_error", 1)]


def test_faults_that_nobody_knows_are_refused(client: httpx.Client) -> None:
    for wrong in ({"fault": "fire"}, {"fault": "import_fails", "failure": "x"}, {"fault": "slow", "after": 1}):
        assert client.put("/emulator/faults", json={"faults": [wrong]}).status_code == 422
    assert client.put("/emulator/clock", json={}).status_code == 422


def test_an_import_fails_before_the_row_at_which_it_is_told_to(client: httpx.Client) -> None:
    fail(client, fault="import_fails", type="contacts", row=301, failure="source_damaged")
    failed = watch(client, send(client, rows(1_000)))
    assert (failed["status"], failed["failure"]["code"]) == ("failed", "source_damaged")
    assert (failed["created"], failed["remaining"]) == (300, 700)
    assert watch(client, send(client, rows(1_000)))["unchanged"] == 300


def test_an_import_survives_a_worker_that_dies_when_it_is_told_to(client: httpx.Client) -> None:
    fail(client, fault="worker_dies", row=501)
    survived = watch(client, send(client, rows(1_000)))
    assert (survived["status"], survived["created"], survived["remaining"]) == ("finished", 1_000, 0)
    assert [(each["row"], each["lost"]) for each in survived["interruptions"]] == [(500, True)]


def test_an_import_waits_where_it_is_told_to(client: httpx.Client) -> None:
    fail(client, fault="import_waits", row=2, seconds=60)
    sent = send(client)
    while (run := client.get(f"/runs/{sent.json()['id']}", headers={"Prefer": "wait=20"}).json())["created"] != 1:
        assert not run["done"]
    assert (run["status"], run["remaining"]) == ("running", 1)


def test_time_passes_as_it_is_told_to(client: httpx.Client) -> None:
    run = watch(client, send(client))
    before = client.get("/emulator/clock").json()
    assert before["shiftSeconds"] == 0
    moved = client.put("/emulator/clock", json={"forwardSeconds": 40 * 86_400}).json()
    assert moved["shiftSeconds"] == 40 * 86_400
    assert client.get(f"/runs/{run['id']}").status_code == 410
    later = watch(client, send(client))
    assert later["createdAt"] >= moved["now"]
    at = client.put("/emulator/clock", json={"now": "2030-12-24T18:00:00Z"}).json()
    assert at["now"].startswith("2030-12-24T18:00:0")
    assert client.delete("/emulator/clock").status_code == 204
    assert client.get("/emulator/clock").json()["shiftSeconds"] == 0


def test_it_ends_at_once_and_leaves_nothing(emulator: Emulator) -> None:
    started = psutil.Process(emulator.process.pid).children(recursive=True)
    emulator.process.send_signal(signal.SIGTERM)
    assert emulator.process.wait(20) == 0
    assert psutil.wait_procs(started, timeout=5)[1] == []
    assert [each.name for each in emulator.folder.iterdir()] == ["errors"]


async def test_a_normal_service_has_nothing_of_it(runtime: Runtime) -> None:
    app = app_on(runtime)
    assert [route.path for route in app.routes if "emulator" in str(getattr(route, "path", ""))] == []
    assert "FaultsMiddleware" not in str(app.user_middleware)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sluice.test") as client:
        for method, path in (("PUT", "faults"), ("DELETE", "faults"), ("PUT", "clock"), ("POST", "accounts")):
            assert (await client.request(method, f"/emulator/{path}", json={})).status_code == 404
