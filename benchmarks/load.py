"""A client that asks for one import over and over on many connections: `python -m benchmarks.load`.

It is a process of its own, so that it does not slow down what it measures. It reads one JSON object from its standard
input (host, port, path, key, connections, seconds) and prints one.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Target:
    host: str
    port: int
    path: str
    key: str
    connections: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Load:
    """Requests per second, and milliseconds that half of them and 99 of 100 took at most."""

    rate: float
    median: float
    p99: float


async def loaded(target: Target) -> Load:
    request = (
        f"GET {target.path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\nAuthorization: apiKey {target.key}\r\n\r\n"
    ).encode()
    began = time.perf_counter()
    askers = [ask(target, request, until=began + target.seconds) for _ in range(target.connections)]
    taken = sorted(each for asker in await asyncio.gather(*askers) for each in asker)
    took = time.perf_counter() - began
    return Load(len(taken) / took, at(taken, 0.5) * 1e3, at(taken, 0.99) * 1e3)


async def ask(target: Target, request: bytes, *, until: float) -> list[float]:
    """The seconds of each answer on one connection."""
    reader, writer = await asyncio.open_connection(target.host, target.port)
    taken: list[float] = []
    while (began := time.perf_counter()) < until:
        writer.write(request)
        await answered(reader)
        taken.append(time.perf_counter() - began)
    writer.close()
    return taken


async def answered(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(f"the service answered {head[:60]!r}")
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))


def at(taken: list[float], share: float) -> float:
    return taken[min(len(taken) - 1, int(len(taken) * share))]


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(loaded(Target(**json.load(sys.stdin)))))))
