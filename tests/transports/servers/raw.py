"""A web server of a few lines, which answers what a test tells it to the letter, however odd, and as slowly."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from pydantic import SecretStr

from app.transports.transport import Remote
from tests.transports.servers.sockets import listener

END_OF_HEAD = b"\r\n\r\n"


class Asked(NamedTuple):
    """A request without its body."""

    method: str
    path: str  # with the query
    headers: dict[str, str]  # the names in lower case


Answer = Callable[[Asked], bytes]


def reply(*headers: str, body: bytes = b"", status: int = 200, length: int | None = None) -> bytes:
    """An answer as it travels; `length` is said instead of the true one (the answer to HEAD has no body)."""
    size = len(body) if length is None else length
    head = "\r\n".join([f"HTTP/1.1 {status} Odd", f"Content-Length: {size}", *headers])
    return head.encode() + END_OF_HEAD + body


def gives(file: bytes, *headers: str) -> Answer:
    """Answers everything with a file under these headers."""
    return lambda asked: reply(*headers, length=len(file), body=file if asked.method == "GET" else b"")


def page(*keys: str, size: str = "1") -> bytes:
    """A page of a bucket's list."""
    told = f"<Size>{size}</Size><ETag>a</ETag><LastModified>2024-01-01T00:00:00Z</LastModified>"
    rows = "".join(f"<Contents><Key>{key}</Key>{told}</Contents>" for key in keys)
    listed = f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
    return reply("Content-Type: application/xml", body=listed.encode())


def web_at(port: int, host: str = "127.0.0.1") -> Remote:
    return Remote("http", host, port)


def s3_at(port: int, **options: str) -> Remote:
    """A raw web server that is taken for S3."""
    keys = {"access_key": SecretStr("k"), "secret_key": SecretStr("s")}
    return Remote("s3", "", options={"bucket": "bucket", "endpoint": f"http://127.0.0.1:{port}", **keys, **options})


@asynccontextmanager
async def raw_web(answer: Answer, *, pause: float = 0) -> AsyncIterator[int]:
    """A port of this machine; with a `pause` the bytes of each body come one by one, so many seconds apart."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head, mark, body = answer(asked_by(await reader.readuntil(END_OF_HEAD))).partition(END_OF_HEAD)
            writer.write(head + mark)
            for piece in [body[at : at + 1] for at in range(len(body))] if pause else [body]:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)

    async with listener(serve) as port:
        yield port


def asked_by(head: bytes) -> Asked:
    line, *rest = head.decode().strip().split("\r\n")
    method, path, _ = line.split(" ")
    named = (each.partition(": ") for each in rest)
    return Asked(method, path, {name.lower(): value for name, _, value in named})
