"""A service as processes whose every trace is kept, and a search through all of them for words that must be nowhere."""

import asyncio
import base64
import contextlib
import json
import os
import re
import subprocess
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.policy import default
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import psutil
from redis.asyncio import Redis

from app.cli.options import module_command, module_environment
from app.embedded import Servers, free_port
from tests.support.live import HOST, ROOT, new_key
from tests.support.servers import PEPPER, settings_for
from tests.workers.test_notices import Inbox

PATIENCE = 30.0


def forms(mark: str) -> set[bytes]:
    """How the mark may look: as it is, in base64 (wherever it begins), in hex, percent-encoded, escaped."""
    raw = mark.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), json.dumps(mark)[1:-1].encode()}
    found |= {
        quote(mark).encode(),
        quote(mark, safe="").encode(),
        repr(raw)[2:-1].encode(),
        mark.encode("unicode_escape"),
        mark.encode("utf-16-le"),
    }
    found |= {"".join(f"%{byte:{case}}" for byte in raw).encode() for case in ("02x", "02X")}
    for before in range(3):
        # Only the characters that no neighbour of the mark has a part in.
        first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        found |= {encoded(b"\0" * before + raw)[first:last] for encoded in (base64.b64encode, base64.urlsafe_b64encode)}
    return found


@dataclass
class Marks:
    """The words that must be nowhere, by what they were given as. All that are made here have one part in common: where
    that is not, none of hundreds has to be looked for."""

    forms: dict[str, set[bytes]] = field(default_factory=dict)
    common: str = field(default_factory=lambda: token_hex(6))

    def new(self, name: str) -> str:
        return self.add(name, f"{name.replace('_', '')}{self.common}{token_hex(10)}")

    def add(self, name: str, mark: str) -> str:
        self.forms[f"{name} {len(self.forms)}"] = forms(mark)
        return mark

    def found_in(self, places: Iterator[tuple[str, bytes]]) -> list[str]:
        in_common = forms(self.common)
        others = {name: each for name, each in self.forms.items() if not has_one_of(in_common, b" ".join(each))}
        return [
            f"{name} in {place}: …{data[max(0, data.index(form) - 80) : data.index(form) + 80]!r}…"
            for place, data in places
            for name, each in (self.forms if has_one_of(in_common, data) else others).items()
            for form in each
            if form in data
        ]


def has_one_of(words: set[bytes], data: bytes) -> bool:
    return any(word in data for word in words)


@dataclass
class Marked:
    """The running service and everything that it leaves behind."""

    folder: Path
    servers: Servers
    database_url: str
    redis_url: str
    inbox: Inbox
    environment: dict[str, str]
    marks: Marks
    port: int = field(default_factory=free_port)
    answers: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    lines: set[bytes] = field(default_factory=set)  # command lines of processes
    read: set[str] = field(default_factory=set)  # runs that have ended and were read since
    parts: list[subprocess.Popen[bytes]] = field(default_factory=list)
    client: httpx.AsyncClient = field(init=False)

    # Processes

    def start(self, *module: str, **settings: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"{len(self.parts)}-{module[0]}.log"
        with log.open("wb") as written:
            environment = module_environment(module[0], **self.environment | settings)
            told = {"stdout": written, "stderr": written}
            self.parts.append(subprocess.Popen(module_command(*module), cwd=ROOT, env=environment, **told))
        return self.parts[-1]

    @property
    def worker(self) -> subprocess.Popen[bytes]:
        """The newest."""
        return self.parts[-1]

    def stop(self) -> None:
        for part in self.parts:
            part.terminate()
        for part in self.parts:
            part.wait(30)

    def look_at_processes(self) -> None:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                self.lines.add(" ".join(process.cmdline()).encode())

    # What a caller does

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        answer = await self.client.request(method, path, **request)
        self.answers.append(str(answer.headers).encode() + b"\n" + answer.content)
        return answer

    async def until(self, holds: Callable[[], bool | Awaitable[bool]], complaint: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not await now(holds):
            self.look_at_processes()
            assert time.monotonic() < deadline, f"{complaint}\n{self.told()}"
            await asyncio.sleep(0.1)

    def told(self) -> str:
        return "\n".join(log.read_text()[-3000:] for log in sorted(self.folder.glob("*.log")))

    async def rows(self, statement: str, *values: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.database_url)
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def ended(self, runs: list[str]) -> list[tuple[str, str | None]]:
        """State and reason of each, once all have ended and every mail about them is sent."""
        wanted = "SELECT state, fail_code, secret, notify IS NULL OR notified_at IS NOT NULL AS told FROM runs"

        async def all_have() -> bool:
            rows = await self.rows(f"{wanted} WHERE id = ANY($1)", runs)
            return all(row["state"] in ("finished", "failed") and row["told"] for row in rows)

        await self.until(all_have, "the runs do not end")
        rows = await self.rows(f"{wanted} WHERE id = ANY($1)", runs)
        assert [row["secret"] for row in rows] == [None] * len(runs)
        return [(row["state"], row["fail_code"]) for row in rows]

    async def read_everything(self) -> None:
        """Asks for whatever can be read about runs and connections."""
        rows = await self.rows("SELECT id, state IN ('finished', 'failed') AS ended FROM runs")
        runs = [row["id"] for row in rows if row["id"] not in self.read]
        self.read |= {row["id"] for row in rows if row["ended"]}
        paths = ["/imports", "/connections", "/v2/jobs", "/metrics", "/readyz", "/types/contacts/records"]
        for run in runs:
            paths += [f"/imports/{run}{more}" for more in ("", "/problems", "/failed-rows.csv")]
            paths.append(f"/v2/jobs/{run}")
        for path in paths:
            await self.ask("GET", path)

    # The search

    async def clean(self) -> None:
        """Nothing that was marked is anywhere."""
        await self.read_everything()
        self.look_at_processes()
        found = self.marks.found_in(iter([each async for each in self.places()]))
        assert not found, "\n".join(found[:10])
        for searched in (self.answers, self.commands, self.lines):
            searched.clear()  # marks are new each time

    async def places(self) -> AsyncIterator[tuple[str, bytes]]:
        for path in (*self.folder.rglob("*"), *self.servers.data_folder.data.glob("*.log")):
            if path.is_file():
                yield f"file {path.name}", str(path).encode() + path.read_bytes()
        async for each in self.tables():
            yield each
        yield "valkey", await self.stored_in_valkey()
        yield "commands to valkey", "\n".join(self.commands).encode()
        yield "answers", b"\n".join(self.answers)
        yield "command lines", b"\n".join(self.lines)
        yield "mails", b"\n".join(mail.as_bytes(policy=default) + body(mail) for mail in self.inbox.taken)

    async def tables(self) -> AsyncIterator[tuple[str, bytes]]:
        """Every row of every table as text; bytes as they are and, where they are packed, unpacked."""
        names = await self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (name,) in [*names, ("pg_stat_activity",)]:
            rows = await self.rows(f'SELECT CAST(t AS text) AS as_text, t.* FROM "{name}" t')
            parts = [row["as_text"].encode() for row in rows]
            for value in (value for row in rows for value in row if isinstance(value, bytes)):
                parts.append(value)
                with contextlib.suppress(zlib.error):
                    parts.append(zlib.decompress(value))
            yield f"table {name}", b"\n".join(parts)

    async def stored_in_valkey(self) -> bytes:
        reading = {"list": ("LRANGE", 0, -1), "zset": ("ZRANGE", 0, -1), "hash": ("HGETALL",), "set": ("SMEMBERS",)}
        found = []
        async with Redis.from_url(self.redis_url) as redis:
            for key in await redis.keys("*"):
                command, *more = reading.get((await redis.type(key)).decode(), ("GET",))
                found.append(key + repr(await redis.execute_command(command, key, *more)).encode())
        return b"\n".join(found)


async def now(holds: Callable[[], bool | Awaitable[bool]]) -> bool:
    held = holds()
    return held if isinstance(held, bool) else await held


def body(mail: Any) -> bytes:
    told = mail.get_body()
    return f"{mail.items()}\n{told.get_content() if told else ''}".encode()


@asynccontextmanager
async def listening_to_valkey(url: str, commands: list[str]) -> AsyncIterator[None]:
    """Every command that is sent to the server, as long as the block lasts."""

    async def listen(ready: asyncio.Event) -> None:
        async with Redis.from_url(url) as redis, redis.monitor() as monitor:
            ready.set()
            async for command in monitor.listen():
                commands.append(str(command["command"]))  # noqa: PERF401  it has no end

    ready = asyncio.Event()
    listening = asyncio.create_task(listen(ready))
    await ready.wait()
    try:
        yield
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


@asynccontextmanager
async def running_marked(house: Marked) -> AsyncIterator[Marked]:
    temporary = house.folder / "tmp"
    temporary.mkdir()
    house.environment |= {
        "SLUICE_DATA": str(house.folder / "data"),
        "SLUICE_DATABASE_URL": house.database_url,
        "SLUICE_REDIS_URL": house.redis_url,
        "SLUICE_SECRET_KEY": PEPPER,
        "SLUICE_LOG_LEVEL": "debug",
        "SLUICE_LEASE_SECONDS": "1.5",
        "SLUICE_SWEEP_SECONDS": "0.3",
        "SLUICE_SOURCE_SECONDS": "5",
        "SLUICE_SOURCE_IDLE_SECONDS": "4",
        "SLUICE_FETCHES_AT_ONCE": "20",
        "SLUICE_QUEUE_LIMIT": "100",
        "SLUICE_RATE_LIMIT": "off",
        "TMPDIR": str(temporary),
    }
    settings = settings_for(house.folder / "data", house.database_url, house.redis_url)
    key = house.marks.add("api_key", await new_key(settings, "marked"))
    headers = {"Authorization": f"apiKey {key}"}
    async with (
        listening_to_valkey(house.redis_url, house.commands),
        httpx.AsyncClient(base_url=f"http://{HOST}:{house.port}", headers=headers, timeout=30) as house.client,
    ):
        try:
            house.start("app.main", HOST, str(house.port))
            house.start("workers")
            await house.until(house_ready(house), "the service does not get ready")
            yield house
        finally:
            house.stop()


def house_ready(house: Marked) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        try:
            return (await house.client.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    return ready


def killed(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, 9)
    process.wait(10)


def lines_of(pem: str) -> list[str]:
    """The lines of a private key that are long enough to be nobody else's."""
    return [line for line in pem.splitlines()[1:] if re.fullmatch(r"[A-Za-z0-9+/=]{40,}", line)]
