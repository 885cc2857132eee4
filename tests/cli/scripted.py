"""A real HTTP server that plays the service: it answers what a test has written down, and keeps what it was sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RUN_ID = "6072374b4d3ceb76e44d4323"
NOW = threading.Event()
NOW.set()


@dataclass(frozen=True)
class Said:
    """One answer; bytes are sent as they are, everything else as JSON. Status 0: hangs up without a word."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    waits_for: threading.Event = NOW  # it comes when this is set
    reads_first: bool = True  # False: answers before it has read what is sent


@dataclass
class Service:
    """The answers to POST and to GET, in order; the last one is repeated."""

    posts: list[Said]
    gets: list[Said] = field(default_factory=list)
    url: str = ""
    headers: Message = field(default_factory=Message)
    body: bytes = b""
    body_length: int = 0
    polls: int = 0
    asked: list[Message] = field(default_factory=list)  # the headers of each poll
    polled: threading.Event = field(default_factory=threading.Event)

    def part(self, name: str) -> str | None:
        """The text of a form part."""
        _, found, rest = self.body.partition(b'name="%s"\r\n\r\n' % name.encode())
        return rest.split(b"\r\n", 1)[0].decode() if found else None


def accepted(**more: Any) -> Said:
    return Said(201, run(status="queued", **more))


def run(**more: Any) -> dict[str, Any]:
    counts = {"total": 5, "created": 0, "updated": 0, "unchanged": 0, "skipped": 0, "success": 0, "errors": 0}
    return {"id": RUN_ID, "type": "contacts", "status": "inProgress", **counts, **more}


@contextmanager
def playing(service: Service, host: str = "127.0.0.1") -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            said = next_of(service.posts)
            service.headers = self.headers
            if said.reads_first:
                self.read_body()
            self.answer(said)
            if not said.reads_first:
                self.read_body()
                self.close_connection = True

        def do_GET(self) -> None:
            service.polls += 1
            service.asked.append(self.headers)
            service.polled.set()
            self.answer(next_of(service.gets))

        def read_body(self) -> None:
            for chunk in body_of(self):
                service.body_length += len(chunk)
                if service.body_length < 100_000:  # what is longer is only counted, so that memory can be measured
                    service.body += chunk

        def answer(self, said: Said) -> None:
            said.waits_for.wait(60)
            if not said.status:
                self.close_connection = True
                return
            body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(body)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the output belongs to the test."""

    server = ThreadingHTTPServer((host, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    service.url = f"http://{host}:{server.server_port}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def body_of(request: BaseHTTPRequestHandler) -> Iterator[bytes]:
    """The body of a request in pieces, sent with its length or in chunks."""
    left = int(request.headers.get("Content-Length", 0))
    while left:
        piece = request.rfile.read(min(left, 65_536))
        left -= len(piece)
        yield piece
    if request.headers.get("Transfer-Encoding") == "chunked":
        while size := int(request.rfile.readline(), 16):
            yield request.rfile.read(size)
            request.rfile.readline()
        request.rfile.readline()


def next_of(answers: list[Said]) -> Said:
    return answers.pop(0) if len(answers) > 1 else answers[0]
