"""A web server with files, ranges, a password, redirects, and the oddities that real ones have."""

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import unquote

from aiohttp import web
from pydantic import SecretStr

from app.transports.transport import Remote
from tests.transports.servers.server import PASSWORD, USER, Certificates, Wire


@dataclass
class Web:
    """The files, what was asked for, and how oddly to answer (`quirks`)."""

    files: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    redirects: dict[str, tuple[int, str]] = field(default_factory=dict)
    failing: list[int] = field(default_factory=list)  # statuses of the next answers
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    quirks: set[str] = field(default_factory=set)
    coding: str = ""
    media_type: str = ""
    login: bool = True

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = unquote(request.raw_path)
        self.asked.append((request.method, path, {name.lower(): value for name, value in request.headers.items()}))
        wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.failing:
            return web.Response(status=self.failing.pop(0))
        if path in self.redirects:
            status, location = self.redirects[path]
            return web.Response(status=status, headers={"Location": location})
        if self.login and request.headers.get("Authorization") != wanted:
            return web.Response(status=401, text=f"{PASSWORD} is what we wanted")
        if request.method not in ("GET", "HEAD") or (request.method == "HEAD" and "no_head" in self.quirks):
            return web.Response(status=405)
        name = path.lstrip("/")
        if name not in self.files:
            return web.Response(status=404, text="secret inner words")
        return await self.file(request, *self.files[name])

    async def file(self, request: web.BaseRequest, data: bytes, modified: datetime) -> web.StreamResponse:
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        if "weak_tag" in self.quirks:
            tag = f"W/{tag}"
        if "new_tag" in self.quirks:
            tag = f'{tag[:-1]}-{len(self.asked)}"'
        headers = {"ETag": tag, "Last-Modified": format_datetime(modified, usegmt=True)}
        if "no_tag" in self.quirks:
            del headers["ETag"]
        if "no_validators" in self.quirks:
            headers = {}
        if self.coding:
            headers["Content-Encoding"] = self.coding
        if self.media_type:
            headers["Content-Type"] = self.media_type
        if "made_anew" in self.quirks:
            headers = {"Last-Modified": format_datetime(modified + timedelta(seconds=len(self.asked)), usegmt=True)}
        asked = request.headers.get("Range")
        stale = request.headers.get("If-Range", tag) != tag
        if request.method == "HEAD":
            length = 0 if "head_zero" in self.quirks else len(data)
            return web.Response(headers=headers | {"Content-Length": str(length)})
        if "no_length" in self.quirks:
            return await self.streamed(request, data, headers)
        if not asked or stale or "no_range" in self.quirks:
            return web.Response(headers=headers, body=data)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(data)), len(data) - 1)
        if start >= len(data):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(data)}"})
        headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
        return web.Response(status=206, headers=headers, body=data[start : end + 1])

    async def streamed(self, request: web.BaseRequest, data: bytes, headers: dict[str, str]) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(data)
        await response.write_eof()
        return response


class HttpServer:
    """A `Web` behind a wire, as the conformance tests want it."""

    patterns = False
    writes = False

    def __init__(self, web: Web, wire: Wire) -> None:
        self.web = web
        self.wire = wire
        self.secure = wire.tls is not None
        self.remote = Remote(
            "https" if self.secure else "http", "127.0.0.1", wire.port, user=USER, password=SecretStr(PASSWORD)
        )

    async def store(self, name: str, data: bytes, modified: datetime | None = None) -> None:
        self.web.files[name] = (data, (modified or datetime.now(UTC)).replace(microsecond=0))

    async def stored(self, name: str) -> bytes | None:
        return self.web.files[name][0] if name in self.web.files else None

    async def names(self) -> set[str]:
        return set(self.web.files)

    async def clear(self) -> None:
        self.web.__init__()
        self.wire.heal()

    def unwelcome(self) -> Remote:
        return replace(self.remote, password=SecretStr("wrong"))

    def at(self, port: int) -> Remote:
        return replace(self.remote, port=port)

    def cut_after(self, size: int) -> None:
        self.wire.fail_after(size, "cut")

    def stall_after(self, size: int) -> None:
        self.wire.fail_after(size, "stall")


@asynccontextmanager
async def http_server(certificates: Certificates | None) -> AsyncIterator[HttpServer]:
    """With certificates it speaks https."""
    files = Web()
    runner = web.ServerRunner(web.Server(files.answer), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        behind = runner.addresses[0][1]
        async with Wire(behind, certificates.server() if certificates else None).running() as wire:
            yield HttpServer(files, wire)
    finally:
        await runner.cleanup()
