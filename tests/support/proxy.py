"""A proxy before the live service that holds every answer against its document: for clients in other processes."""

import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.embedded import free_port
from tests.support.contract import answer_of, contradiction

HOST = "127.0.0.1"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Of one connection, not of the message that travels over it; httpx has already undone a content-encoding.
OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"})


@dataclass(frozen=True, slots=True)
class Proxy:
    """`passed` are all answers in short, `contradictions` what in them no document says."""

    url: str
    passed: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)

    def look_at(self, response: httpx.Response) -> None:
        answer = answer_of(response)
        self.passed.append(str(answer))
        wrong = contradiction(answer)
        if wrong is not None:
            self.contradictions.append(wrong)


@contextmanager
def checking_proxy(target: str) -> Iterator[Proxy]:
    """A proxy in a thread. At its end raises AssertionError with all that contradicted a document. Blocking."""
    port = free_port()
    proxy = Proxy(f"http://{HOST}:{port}")
    settings = uvicorn.Config(forwarding(target, proxy), HOST, port, http="h11", ws="none", log_config=None)
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the proxy did not start"
            time.sleep(0.01)
        yield proxy
    finally:
        server.should_exit = True
        thread.join(10)
    told = "\n".join(proxy.contradictions)
    assert not told, f"answers that contradict their document:\n{told}"


def forwarding(target: str, proxy: Proxy) -> Starlette:
    """Sends on byte for byte what comes, and looks at what comes back."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            yield {"client": client}

    async def forward(request: Request) -> Response:
        answer = await request.state.client.request(
            request.method,
            httpx.URL(target).copy_with(raw_path=raw_target(request)),
            headers=[each for each in request.headers.raw if each[0].decode() not in OF_THE_CONNECTION],
            content=await request.body(),
        )
        proxy.look_at(answer)
        shown = Response(answer.content, answer.status_code)
        shown.raw_headers[:] = [
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.decode().lower() not in OF_THE_CONNECTION
        ] + [(b"content-length", str(len(answer.content)).encode())]
        return shown

    return Starlette(routes=[Route("/{path:path}", forward, methods=METHODS)], lifespan=lifespan)


def raw_target(request: Request) -> bytes:
    """Path and query as they came: `%2F` is not `/`."""
    query = request.scope["query_string"]
    path: bytes = request.scope["raw_path"]
    return path + b"?" + query if query else path
