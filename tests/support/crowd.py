"""What one account does to the others: requests of a hostile one in threads, and meanwhile the polls of another."""

import asyncio
import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.live import Live
from tests.support.servers import execute

HOSTILE = "crowd-hostile"  # the name of the account that attacks
POLLS = 20  # that a median is made of
ROOM = 120_000_000  # bytes that the API may hold beyond what it holds at rest, whatever is read
# Times as long the polls of others may take. Beside other tests on two cores it is 1 to 4; it was several hundred. How
# long it is on a quiet machine is a benchmark: `make bench`, "One hostile account among ten".
PATIENCE = 12


@dataclass(slots=True)
class Attack:
    """What the hostile account got: how often each status, and its longest answer in bytes."""

    statuses: Counter[int] = field(default_factory=Counter)
    longest: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    method: str = "GET"
    body: bytes | None = None


@contextmanager
def attacking(live: Live, key: str, requests: Sequence[Request], *, at_once: int) -> Iterator[Attack]:
    """So many threads send the requests one after the other, again and again, until the block ends."""
    attack, stop = Attack(), threading.Event()
    threads = [threading.Thread(target=attack_on, args=(live, key, requests, attack, stop)) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    try:
        wait_for_answers(attack)
        yield attack
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


def wait_for_answers(attack: Attack) -> None:
    deadline = time.monotonic() + 30
    while not attack.statuses and time.monotonic() < deadline:
        time.sleep(0.01)


def attack_on(live: Live, key: str, requests: Sequence[Request], attack: Attack, stop: threading.Event) -> None:
    headers = {"Authorization": f"apiKey {key}", "Content-Type": "application/json"}
    with httpx.Client(base_url=live.url, headers=headers, timeout=60) as client:
        while not stop.is_set():
            for request in requests:
                with client.stream(request.method, request.path, content=request.body) as answer:
                    attack.longest = max(attack.longest, sum(map(len, answer.iter_raw())))
                attack.statuses[answer.status_code] += 1


def median_poll(live: Live, key: str, path: str = "/imports?pageSize=1") -> float:
    """Seconds, of some polls one after the other."""
    times = []
    with httpx.Client(base_url=live.url, headers={"Authorization": f"apiKey {key}"}, timeout=60) as client:
        for _ in range(POLLS):
            begin = time.perf_counter()
            assert client.get(path).status_code == 200
            times.append(time.perf_counter() - begin)
    return statistics.median(times[5:])


def reset_peak(live: Live) -> None:
    """Sets the peak of the API's memory back to what it holds now; writing 5 is how Linux is asked to."""
    Path(f"/proc/{live.api.pid}/clear_refs").write_text("5")


def peak_memory(live: Live) -> int:
    """The most bytes that the API has held at once since the last reset."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{live.api.pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


@dataclass(frozen=True, slots=True)
class Crowd:
    live: Live
    hostile: str  # keys
    other: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"apiKey {self.hostile}"}

    def sql(self, statement: str) -> None:
        assert self.live.settings.database_url is not None
        asyncio.run(execute(self.live.settings.database_url.get_secret_value(), statement))

    def attack(self, requests: Sequence[Request], *, at_once: int) -> Attack:
        """The attack must neither fill the memory nor slow the others down."""
        reset_peak(self.live)
        rest, quiet = self.live.memory, median_poll(self.live, self.other)
        with attacking(self.live, self.hostile, requests, at_once=at_once) as attack:
            busy = median_poll(self.live, self.other)
        quiet = max(quiet, median_poll(self.live, self.other))
        grown = peak_memory(self.live) - rest
        print(
            f"others {quiet * 1000:.1f} -> {busy * 1000:.1f} ms ({busy / quiet:.1f} times), {grown / 1e6:.0f} MB more, "
            f"{dict(attack.statuses)}, longest answer {attack.longest:,}"
        )
        assert grown < ROOM
        assert busy < quiet * PATIENCE
        return attack
