"""100 messages a second to a slow receiver, beside a dead one: how late they are, and whether a quick one waits."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx
import psutil

from benchmarks.report import Row, Section
from benchmarks.service import Service

SECONDS, RATE = 20, 100  # messages a second to the slow receiver
QUICK_RATE = 5
SLOW_SECONDS = 0.15  # until it answers
DEAD = 200  # messages for a receiver that never answers
WAIT_SECONDS = 60.0  # for what is late


@dataclass
class Receiver:
    """A web server that answers after a while; None: never. It notes when each message arrived."""

    seconds: float | None
    port: int = 0
    arrived: dict[str, float] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):  # the end of the loop is one
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:-2])
            await reader.readexactly(int(headers["content-length"]))
            self.arrived.setdefault(headers["webhook-id"], time.monotonic())
            await asyncio.sleep(3_600 if self.seconds is None else self.seconds)
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving(seconds: float | None) -> AsyncIterator[Receiver]:
    receiver = Receiver(seconds)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


class Sender:
    """Asks for messages of one webhook, and notes when."""

    def __init__(self, client: httpx.AsyncClient, receiver: Receiver, name: str) -> None:
        self._client, self._receiver, self._name = client, receiver, name
        self._path = ""
        self.asked: dict[str, float] = {}

    async def declare(self) -> None:
        body = {"name": self._name, "url": f"http://127.0.0.1:{self._receiver.port}/"}
        made = await self._client.post("/webhooks", json=body)
        self._path = f"/webhooks/{made.raise_for_status().json()['id']}/test"

    async def ask(self) -> None:
        began = time.monotonic()
        made = await self._client.post(self._path)
        self.asked[made.raise_for_status().json()["id"]] = began

    async def ask_at(self, rate: float) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(int(rate * SECONDS)):
                group.create_task(self.ask())
                await asyncio.sleep(1 / rate)

    async def all_arrived(self) -> None:
        until = time.monotonic() + WAIT_SECONDS
        while self.asked.keys() - self._receiver.arrived.keys() and time.monotonic() < until:
            await asyncio.sleep(0.1)

    @property
    def late(self) -> list[float]:
        """Seconds from the request for each message to its arrival, in order."""
        arrived = self._receiver.arrived
        return sorted(arrived[each] - began for each, began in self.asked.items() if each in arrived)


def webhooks(service: Service) -> Section:
    worker = psutil.Process(service.pid("worker-1"))
    before, began = sum(worker.cpu_times()[:2]), time.monotonic()
    slow, quick = asyncio.run(measure(service))
    share = (sum(worker.cpu_times()[:2]) - before) / (time.monotonic() - began)
    note = (
        f"For {SECONDS} s messages were asked for over HTTP, {RATE} a second for a receiver that answers after "
        f"{SLOW_SECONDS * 1000:.0f} ms and {QUICK_RATE} a second for one that answers at once, while {DEAD} waited for "
        f"one that never answers. Client, receivers and service share the machine. One worker; it needed {share:.0%} "
        f"of a core, and {worker.memory_info().rss / 2**20:.0f} MB."
    )
    return Section("Webhooks", [row("Slow receiver", slow), row("… and a quick one beside it", quick)], (note,))


async def measure(service: Service) -> tuple[Sender, Sender]:
    headers = {"Authorization": f"apiKey {service.key('webhooks')}"}
    async with AsyncExitStack() as stack:
        url = service.instance.api_url
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=headers, timeout=60))
        senders = []
        for name, seconds in (("slow", SLOW_SECONDS), ("quick", 0.0), ("dead", None)):
            receiver = await stack.enter_async_context(receiving(seconds))
            senders.append(Sender(client, receiver, name))
            await senders[-1].declare()
        slow, quick, dead = senders
        for _ in range(DEAD):
            await dead.ask()
        await asyncio.gather(slow.ask_at(RATE), quick.ask_at(QUICK_RATE))
        await asyncio.gather(slow.all_arrived(), quick.all_arrived())
    return slow, quick


def row(what: str, sender: Sender) -> Row:
    late = sender.late
    missing = len(sender.asked) - len(late)
    figure = (
        f"{len(late):,} of {len(sender.asked):,} messages; half within {statistics.median(late):.2f} s, 99 % within "
        f"{late[int(len(late) * 0.99)]:.2f} s"
    )
    return Row(what, figure=figure, target="all", met=missing == 0)
