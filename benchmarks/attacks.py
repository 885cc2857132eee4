"""What one hostile account can try against the others: `python -m benchmarks.attacks`.

It is a process of its own, so that it does not slow down what it measures. It reads one JSON object from its standard
input (url, key, way), prepares that way, prints a line, and attacks until it is terminated. Answers do not matter.
"""

import asyncio
import gzip
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

import asyncssh
import httpx

MARKS: Final = "e" + "\u0301\u0327" * 30_000  # combining marks of two classes: sorting them is what takes long
FORM: Final = {"delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
OPTIONS: Final = 1_000
PATIENCE: Final = 60.0  # seconds that the hostile client waits for an answer


@dataclass(frozen=True, slots=True)
class Hostile:
    """The hostile account's way in."""

    client: httpx.AsyncClient
    url: str
    key: str

    async def send(self, method: str, path: str, **request: object) -> httpx.Response | None:
        """One request; None if it broke. A hostile client does not mind."""
        with suppress(httpx.HTTPError):
            return await self.client.request(method, path, **request)  # type: ignore[arg-type]
        return None

    async def repeat(self, times: int, method: str, path: str, **request: object) -> None:
        """Makes a request over and over, on so many connections at once, until it is cancelled."""

        async def again() -> None:
            while True:
                if await self.send(method, path, **request) is None:
                    await asyncio.sleep(0.05)

        await asyncio.gather(*(again() for _ in range(times)))

    async def post(self, file: bytes, **parts: str) -> str | None:
        """Posts an import and waits for its end. Its id; None if it was refused."""
        files = {"file": ("hostile.csv", file)}
        answer = await self.send("POST", "/imports", data=FORM | {"type": "contacts"} | parts, files=files)
        if answer is None or answer.status_code != 201:
            return None
        run = str(answer.json()["id"])
        while (answer := await self.send("GET", f"/imports/{run}")) and answer.json().get("finishedAt") is None:
            await asyncio.sleep(0.1)
        return run


Strike = Callable[[], Awaitable[object]]
Prepare = Callable[[Hostile], Awaitable[Strike]]


async def send_combining_marks(hostile: Hostile) -> Strike:
    """A key that is slow to normalise: as a member, in a path, in a file."""
    file = gzip.compress(f"_externalId,_name\n{MARKS},x\n{MARKS}x,y\n".encode())

    async def strike() -> None:
        await asyncio.gather(
            hostile.repeat(1, "POST", "/v2/products", json={"productID": MARKS}, auth=(hostile.key, "")),
            hostile.repeat(1, "GET", f"/records/contacts/{quote(MARKS[:4_000])}"),
            hostile.repeat(1, "POST", "/imports", data=FORM | {"type": "contacts"}, files={"file": ("a.csv.gz", file)}),
        )

    return strike


async def send_endless_headers(hostile: Hostile) -> Strike:
    """One header of 60 MB and many small ones, without a key."""
    large = (b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: ", b"a" * 65_536, 960)
    many = (b"GET / HTTP/1.1\r\nHost: x\r\n", b"".join(b"X-%d: y\r\n" % n for n in range(4_000)), 1_000)

    async def strike() -> None:
        await asyncio.gather(*(flood(hostile.url, *each) for each in (large, many)))

    return strike


async def hold_idle_connections(hostile: Hostile) -> Strike:
    """Connections that never say anything."""

    async def strike() -> None:
        held = []
        while True:
            with suppress(OSError):
                held.append(await connect(hostile.url))
            await asyncio.sleep(0.005)

    return strike


async def hold_uploads(hostile: Hostile) -> Strike:
    """Forty uploads that get a byte now and then."""
    head = (
        f"POST /imports HTTP/1.1\r\nHost: x\r\nAuthorization: apiKey {hostile.key}\r\nContent-Length: 50000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; "
        'name="file"; filename="a.csv"\r\n\r\n'
    ).encode()

    async def strike() -> None:
        await asyncio.gather(*(flood(hostile.url, head + b"_email\n" * 500_000, b"x", 10**9, 1.0) for _ in range(40)))

    return strike


async def keep_far_positions(hostile: Hostile) -> Strike:
    """Records with a list of 60,000,000 positions."""
    file = b"productID,variants.60000000.sku,variants.foo\nfar,1,2\n"

    async def strike() -> None:
        await asyncio.gather(
            hostile.repeat(
                1, "POST", "/imports", data=FORM | {"type": "catalog", "unknownColumns": "keep"}, files={"file": file}
            ),
            hostile.repeat(4, "GET", "/v2/products/far", auth=(hostile.key, "")),
            hostile.repeat(4, "GET", "/v2/products", auth=(hostile.key, "")),
        )

    return strike


async def try_slow_keys(hostile: Hostile) -> Strike:
    """SFTP keys that take seconds to unlock."""
    private = asyncssh.generate_private_key("ssh-ed25519")
    # 128 rounds are the most that are allowed.
    pem = private.export_private_key("openssh", "secret", rounds=128).decode()
    connection = {"transport": "sftp", "host": "127.0.0.1", "port": 9, "user": "u", "privateKey": pem}
    connection |= {"passphrase": "secret", "hostKey": "trust-on-first-use"}
    made = await hostile.send("POST", "/connections", json={"name": "slow", **connection})
    path = f"/connections/{made.json()['id']}/test-import" if made and made.status_code == 201 else "/connections"

    async def strike() -> None:
        await hostile.repeat(12, "POST", path, json={"path": "a.csv"})

    return strike


async def pull_slowly(hostile: Hostile) -> Strike:
    """Eight pulls from a server that sends a byte in five seconds."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n_email\n")
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(5)

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    source = {"transport": "http", "url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/slow.csv"}
    body = {"type": "contacts", "delimiter": ",", "overrideExisting": True, "updateOnlyEmptyFields": False}

    async def strike() -> None:
        await hostile.repeat(8, "POST", "/imports", json=body | {"source": source})

    return strike


async def declare_large_types(hostile: Hostile) -> Strike:
    """Forty types as large as they may be, listed and put again and again."""
    options = [f"{number:04}-" + "x" * 60 for number in range(OPTIONS)]
    fields = [{"id": f"f{number}", "type": "option", "options": options} for number in range(190)]
    heavy = {"key": "id", "fields": [{"id": "id", "type": "text"}, *fields[:12]]}
    for number in range(40):
        await hostile.send("PUT", f"/types/t{number}", json=heavy)

    async def strike() -> None:
        await asyncio.gather(
            hostile.repeat(4, "GET", "/types"),
            hostile.repeat(2, "PUT", "/types/t0", json=heavy | {"fields": [heavy["fields"][0], *fields]}),
        )

    return strike


async def read_large_pages(hostile: Hostile) -> Strike:
    """Pages of a thousand large records."""
    row = ",".join("y" * 15_000 for _ in range(8))
    file = "_externalId,a,b,c,d,e,f,g,h\n" + "".join(f"k{number},{row}\n" for number in range(350))
    for part in range(3):
        await hostile.post(file.replace("\nk", f"\nk{part}").encode(), unknownColumns="keep")

    async def strike() -> None:
        await hostile.repeat(8, "GET", "/records/contacts?limit=1000")

    return strike


async def read_many_problems(hostile: Hostile) -> Strike:
    """The first problem of an import with hundreds of thousands, and its failed rows."""
    columns = ",".join(f"_c{number}" for number in range(200))
    row = ",".join("x" for _ in range(200))
    fields = [{"id": f"_c{number}", "type": "number"} for number in range(200)]
    await hostile.send("PUT", "/types/bad", json={"key": "id", "fields": [{"id": "id", "type": "text"}, *fields]})
    file = f"id,{columns}\n" + "".join(f"{number},{row}\n" for number in range(2_000))
    run = await hostile.post(file.encode(), type="bad")

    async def strike() -> None:
        await asyncio.gather(
            hostile.repeat(30, "GET", f"/imports/{run}/problems?limit=1"),
            hostile.repeat(4, "GET", f"/imports/{run}/failed-rows.csv"),
        )

    return strike


async def count_coupons(hostile: Hostile) -> Strike:
    """A set of many coupons, counted forty at a time."""
    await hostile.send("PUT", "/coupon-sets/many", json={"name": "many"})
    file = "code\n" + "".join(f"C{number}\n" for number in range(300_000))
    await hostile.post(file.encode(), type="coupons", couponSetId="many")

    async def strike() -> None:
        await hostile.repeat(40, "GET", "/coupon-sets/many")

    return strike


async def delete_while_downloading(hostile: Hostile) -> Strike:
    """Imports that are deleted while their failed rows are read."""
    file = b"_email\n" + b"nobody\n" * 20_000

    async def strike() -> None:
        while True:
            run = await hostile.post(file)
            reads = [hostile.send("GET", f"/imports/{run}/failed-rows.csv") for _ in range(8)]
            await asyncio.gather(*reads, hostile.send("DELETE", f"/imports/{run}"))

    return strike


async def flood(url: str, head: bytes, piece: bytes, times: int, pause: float = 0.0) -> None:
    """Sends a head and then piece after piece, over and over, whatever the service answers."""
    while True:
        with suppress(OSError):
            _, writer = await connect(url)
            writer.write(head)
            for _ in range(times):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
            writer.close()
        await asyncio.sleep(0.05)


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    place = urlsplit(url)
    return await asyncio.open_connection(place.hostname, place.port)


WAYS: Final[dict[str, Prepare]] = {
    "combining marks": send_combining_marks,
    "endless headers": send_endless_headers,
    "idle connections": hold_idle_connections,
    "open uploads": hold_uploads,
    "far positions": keep_far_positions,
    "slow keys": try_slow_keys,
    "slow pulls": pull_slowly,
    "large types": declare_large_types,
    "large pages": read_large_pages,
    "many problems": read_many_problems,
    "counted coupons": count_coupons,
    "deleted downloads": delete_while_downloading,
}


async def attack(url: str, key: str, way: str) -> None:
    headers = {"Authorization": f"apiKey {key}"}
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=PATIENCE) as client:
        strike = await WAYS[way](Hostile(client, url, key))
        print("attacking", flush=True)
        await strike()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    asyncio.run(attack(**json.loads(sys.stdin.readline())))
