"""Ten accounts of which one is hostile: how long the requests of the other nine take, in each way of attack."""

import asyncio
import json
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from benchmarks.attacks import FORM, WAYS
from benchmarks.memory import peaks, reset
from benchmarks.report import Row, Section
from benchmarks.service import Service

OTHERS = 9
SECONDS = 6.0  # that are measured in each way, and before it
ROWS = 20
PAUSE = 0.1  # seconds between two requests of an account: the service is not at its limit
ALLOWED = 3.0  # times the quiet median


@dataclass(slots=True)
class Measured:
    """What nine accounts met: the seconds of each request, imports that ended with all their rows, what went wrong."""

    seconds: list[float] = field(default_factory=list)
    imports: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


class Account:
    """An ordinary account: it posts a small file, polls it to its end, lists, and begins again."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"apiKey {key}"}

    async def work(self, measured: Measured, until: float) -> None:
        while time.monotonic() < until:
            file_id = secrets.token_hex(6)
            rows = (f"{file_id}.{row}@example.org,Ann\n" for row in range(ROWS))
            file = {"file": ("a.csv", ("_email,_name\n" + "".join(rows)).encode())}
            data = FORM | {"type": "contacts"}
            accepted = await self._ask(measured, "POST", "/imports", data=data, files=file)
            if accepted is None:
                continue
            run = await self._ended(measured, accepted["id"], deadline=until + 60)
            counts = {name: run[name] for name in ("status", "created", "errors")} if run else "never"
            if counts == {"status": "finished", "created": ROWS, "errors": 0}:
                measured.imports += 1
            else:
                measured.wrong.append(f"an import ended as {counts}")
            await self._ask(measured, "GET", "/records/contacts?limit=10")

    async def _ended(self, measured: Measured, run: object, *, deadline: float) -> dict[str, object] | None:
        while time.monotonic() < deadline:
            found = await self._ask(measured, "GET", f"/imports/{run}")
            if found and found.get("finishedAt"):
                return found
        return None

    async def _ask(self, measured: Measured, method: str, path: str, **request: object) -> dict[str, object] | None:
        await asyncio.sleep(PAUSE)
        began = time.monotonic()
        try:
            answer = await self._client.request(method, path, headers=self._headers, **request)  # type: ignore[arg-type]
        except httpx.HTTPError as broken:
            measured.wrong.append(f"{method} {path.partition('?')[0]} broke: {type(broken).__name__}")
            return None
        finally:
            measured.seconds.append(time.monotonic() - began)
        if answer.status_code >= 400:
            measured.wrong.append(f"{method} {path.partition('?')[0]} answered {answer.status_code}")
            return None
        return dict(answer.json())


def hostile(service: Service) -> Section:
    keys = [service.key(f"other-{number}") for number in range(OTHERS)]
    measure(service, keys)  # warms up
    rows = [row for way in WAYS for row in beside_attack(service, keys, way)]
    note = (
        f"{OTHERS} accounts post files of {ROWS} rows, poll and list, a request every {PAUSE} s each, for "
        f"{SECONDS:.0f} s before and {SECONDS:.0f} s during each attack. Floor: the median without, ours: the median "
        "with the attack. The hostile client is a process on the same two cores."
    )
    return Section("One hostile account among ten", rows, (note,))


def beside_attack(service: Service, keys: Sequence[str], way: str) -> Iterator[Row]:
    quiet = measure(service, keys)
    reset(service)
    with attacking(service, way):
        attacked = measure(service, keys)
    ratio = attacked.median / quiet.median
    yield Row(
        way.capitalize(),
        f"{quiet.median * 1e3:.1f} ms",
        f"{attacked.median * 1e3:.1f} ms",
        f"{ratio:.2f} ×, slowest {max(attacked.seconds) * 1e3:.0f} ms; {peaks(service)}",
        f"≤ {ALLOWED:.2f} ×",
        ratio <= ALLOWED,
    )
    trouble = f"; {len(attacked.wrong)} went wrong: {attacked.wrong[0]}" if attacked.wrong else ""
    yield Row("… imports of the others", figure=f"{attacked.imports} finished{trouble}", met=not attacked.wrong)


def measure(service: Service, keys: Sequence[str]) -> Measured:
    """Nine accounts at work for a while; each ends with a whole import."""
    measured = Measured()

    async def work() -> None:
        async with httpx.AsyncClient(base_url=service.instance.api_url, timeout=60) as client:
            accounts = [Account(client, key) for key in keys]
            until = time.monotonic() + SECONDS
            await asyncio.gather(*(account.work(measured, until) for account in accounts))

    asyncio.run(work())
    return measured


@contextmanager
def attacking(service: Service, way: str) -> Iterator[None]:
    """The hostile account at its work, in a process of its own. Its preparations are over when the block begins."""
    about = {"url": service.instance.api_url, "key": service.key(f"hostile-{way}".replace(" ", "-")), "way": way}
    command = [sys.executable, "-m", "benchmarks.attacks"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(json.dumps(about) + "\n")
            process.stdin.flush()
            if not process.stdout.readline():
                raise RuntimeError(f"the attack by {way} could not be prepared")
            yield
        finally:
            process.kill()
