"""Machines of their own for the API and two workers, as network namespaces, of which one is cut off in mid-import.

`unshare --net python -m tests.faults.machines FOLDER` runs the story in a network that nobody else is in, and prints
what came of it as JSON. All of the network is gone with the last process.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx

from app.cli.options import module_command, module_environment
from app.embedded import Servers, postgres, valkey
from app.settings import Settings
from tests.support.live import new_key
from tests.support.servers import PEPPER, new_database, redis_number, running_servers, settings_for

ROOT = Path(__file__).resolve().parents[2]
ROWS, BAD, PORT = 40_000, 4_000, 8000
PARTS = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
SETTINGS = {
    "SLUICE_SECRET_KEY": PEPPER,
    "SLUICE_LEASE_SECONDS": "3",
    "SLUICE_SWEEP_SECONDS": "0.5",
    "SLUICE_BATCH_ROWS": "50",
    "SLUICE_SLICE_SECONDS": "600",  # the worker that has the import keeps it
    "SLUICE_LOG_LEVEL": "warning",
}
WRITERS = """
SELECT DISTINCT host(client_addr) FROM pg_stat_activity
WHERE datname = current_database() AND client_addr IS NOT NULL AND query LIKE '%staging%' AND state <> 'idle'
    AND pid <> pg_backend_pid()"""
TRUTH = """
SELECT (SELECT count(*) FROM records WHERE type = 'contacts') AS records, crashes, attempt,
    (SELECT sum(created + failed) FROM batches WHERE run_id = $1) AS in_batches FROM runs WHERE id = $1"""


class Machine:
    """A network namespace, by a wire to here."""

    def __init__(self, number: int) -> None:
        self.wire, self.here, self.there = f"wire{number}", f"10.213.{number}.1", f"10.213.{number}.2"
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        pid = str(self._holder.pid)
        until(lambda: Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink(), "no namespace")
        run("ip", "link", "add", self.wire, "type", "veth", "peer", "name", "wire", "netns", pid)
        run("ip", "address", "add", f"{self.here}/30", "dev", self.wire)
        run("ip", "link", "set", self.wire, "up")
        self.inside = ("nsenter", "--target", pid, "--net")
        run(*self.inside, "ip", "address", "add", f"{self.there}/30", "dev", "wire")
        run(*self.inside, "ip", "link", "set", "wire", "up")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, log: Path, settings: Settings, *module: str) -> None:
        assert settings.database_url is not None
        assert settings.redis_url is not None
        environment = module_environment(
            module[0],
            SLUICE_DATA=str(settings.data),
            SLUICE_DATABASE_URL=self.seen_from_there(settings.database_url.get_secret_value()),
            SLUICE_REDIS_URL=self.seen_from_there(settings.redis_url.get_secret_value()),
            **SETTINGS,
        )
        with log.open("ab") as written:
            command = [*self.inside, *module_command(*module)]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=written, stderr=written)

    def cut_off(self) -> None:
        """From here on every packet is lost, and nobody is told."""
        run("ip", "link", "set", self.wire, "down")

    def join(self) -> None:
        run("ip", "link", "set", self.wire, "up")

    def end(self) -> None:
        for process in (self.process, self._holder):
            if process is not None:
                process.kill()
                process.wait(10)

    def seen_from_there(self, url: str) -> str:
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.replace("127.0.0.1", self.here)).geturl()


def tell_story(folder: Path) -> dict[str, Any]:
    """The import begins on one of two workers, which is cut off; the other one goes on; the first one is joined again,
    and works off the next import alone."""
    run("ip", "link", "set", "lo", "up")
    with ExitStack() as stack:
        api, *workers = machines = [stack.enter_context(machine(number)) for number in (1, 2, 3)]
        settings = served(stack.enter_context(reachable_servers()), folder)
        assert settings.database_url is not None
        url, key = settings.database_url.get_secret_value(), asyncio.run(new_key(settings, "machines"))
        api.start(folder / "api.log", settings, "app.main", api.there, str(PORT))
        for number, worker in enumerate(workers):
            worker.start(folder / f"worker-{number}.log", settings, "workers")
        headers, base = {"Authorization": f"apiKey {key}"}, f"http://{api.there}:{PORT}"
        client = stack.enter_context(httpx.Client(base_url=base, headers=headers, timeout=30, trust_env=False))
        until(lambda: is_ready(client), "the service does not get ready")
        first, seen = accepted(client), Seen(client)
        until(lambda: seen.look(first)["created"] > 0, "the import does not begin")
        [lost] = found_writers(url, workers)
        lost.cut_off()
        cut_at, done = time.monotonic(), seen.look(first)["created"]
        until(lambda: seen.look(first)["created"] > done + 500, "nobody goes on")
        taken_over, before_joining = time.monotonic() - cut_at, seen.look(first)
        lost.join()
        until(lambda: seen.look(first)["done"], "the import does not end")
        truth = asyncio.run(fetch(url, TRUTH, first))[0]
        for each in machines[1:]:
            if each is not lost:
                each.end()
        second = accepted(client)
        until(lambda: seen.look(second)["done"], "the worker that was cut off does not work again")
        return {
            "ended": counts(seen.look(first)),
            "second": counts(seen.look(second)),
            "truth": {name: int(value) for name, value in truth.items()},
            "was_joined_in_mid_import": not before_joining["done"],
            "untrue": seen.untrue,
            "seconds": round(taken_over, 1),
            "lost_lives": lost.process is not None and lost.process.poll() is None,
        }


class Seen:
    """Looks at runs, and notes what a look must never show."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._created: dict[str, int] = {}
        self.untrue: list[dict[str, Any]] = []

    def look(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client.get(f"/imports/{run_id}").json()
        if found["created"] < self._created.get(run_id, 0):
            self.untrue.append(found)
        self._created[run_id] = found["created"]
        return found


@contextmanager
def machine(number: int) -> Iterator[Machine]:
    made = Machine(number)
    try:
        yield made
    finally:
        made.end()


@contextmanager
def reachable_servers() -> Iterator[Servers]:
    """Servers that listen on every wire."""
    postgres.SETTINGS["listen_addresses"] = "*"
    valkey.SETTINGS["bind"] = "0.0.0.0"
    with running_servers() as servers:
        allowed = servers.data_folder.servers / "postgres" / "pg_hba.conf"
        allowed.write_text(f"{allowed.read_text()}\nhost all all 10.213.0.0/16 scram-sha-256\n")
        asyncio.run(fetch(servers.database_url, "SELECT pg_reload_conf()"))
        yield servers


def served(servers: Servers, folder: Path) -> Settings:
    return settings_for(folder, new_database(servers, "machines"), redis_number(servers, 0))


def accepted(client: httpx.Client) -> str:
    lines = (b"ana%d@example.org,%s\n" % (row, b"x" if row % 10 == 0 else b"1") for row in range(ROWS))
    file = {"file": ("contacts.csv", b"_email,_points\n" + b"".join(lines), "text/csv")}
    answer = client.post("/imports", data=PARTS, files=file)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def found_writers(url: str, workers: list[Machine]) -> list[Machine]:
    """The worker that PostgreSQL sees at work."""
    found: set[str] = set()

    def look() -> bool:
        found.update(row[0] for row in asyncio.run(fetch(url, WRITERS)))
        return bool(found)

    until(look, "nobody writes")
    return [worker for worker in workers if worker.there in found]


def is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def counts(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in ("status", "created", "updated", "errors")}


async def fetch(url: str, statement: str, *values: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()


def run(*command: str) -> None:
    subprocess.run(command, check=True)


def until(holds: Callable[[], bool], complaint: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.05)


if __name__ == "__main__":
    print(json.dumps(tell_story(Path(sys.argv[1]))))
