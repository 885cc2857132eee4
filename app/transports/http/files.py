"""Files from web servers: GET and HEAD, with redirects followed by our own code and checked at every hop."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

import httpx
from pydantic import SecretStr

from app.transports.failed import TransportFailed, bad_option, failure
from app.transports.http.sockets import CheckedTransport, translate_errors
from app.transports.transport import Begun, FileInfo, Option, Remote, TransferPolicy, check_path, forget, time_limit
from app.transports.url import LONGEST_URL, ServerUrl, encode_path, parse_server_url, validate_port

MOST_HOPS = 5
SETTLED = timedelta(seconds=60)  # a file that was changed so long ago is not being changed
WHOLE, PART, OUT_OF_RANGE = 200, 206, 416
REDIRECTS = frozenset({301, 302, 303, 307, 308})
STATUSES: dict[int, str] = {
    401: "login", 403: "forbidden", 404: "missing", 407: "login", 408: "busy", 410: "missing", 412: "changed",
    425: "busy", 429: "busy", 500: "busy", 502: "busy", 503: "busy", 504: "busy",
}  # fmt: skip
# Headers that a caller may not set: with them one could impersonate this service or make one request look like two.
OUR_HEADERS = frozenset({
    "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "range", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CHARSET = re.compile(r";\s*charset\s*=\s*\"?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-\d{1,18}|\*)/(\d{1,18}|\*)")
# Codings that the receiver of the bytes can undo. Some servers send files as they store them, whatever is accepted.
CODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})


def parse_remote_url(
    url: str,
    user: str = "",
    password: SecretStr | None = None,
    headers: Mapping[str, SecretStr] | None = None,
) -> tuple[Remote, str]:
    """The remote and the path of a URL. Raises what `parse_server_url` raises."""
    target = parse_server_url(url)
    options: dict[str, Option] = {"headers": headers} if headers else {}
    return Remote(target.scheme, target.host, target.port, user, password, options), target.path


@asynccontextmanager
async def connect(remote: Remote, policy: TransferPolicy) -> AsyncIterator["Http"]:
    """A client for one server. It connects with the first request."""
    client = httpx.AsyncClient(
        transport=CheckedTransport(policy),
        trust_env=False,
        timeout=httpx.Timeout(policy.idle_seconds, connect=policy.connect_seconds),
        headers={"Accept-Encoding": "identity", "User-Agent": "Sluice"},
    )
    async with client:
        yield Http(client, remote, policy)


class Http:
    """A web server. A path is that of a URL with its query, percent-encoded or not."""

    def __init__(self, client: httpx.AsyncClient, remote: Remote, policy: TransferPolicy) -> None:
        self._client = client
        self._policy = policy
        self._home = ServerUrl(remote.scheme, remote.host.lower(), validate_port(remote.scheme, remote.port), "/")
        self._secret_headers = build_secret_headers(remote)

    async def list(self, pattern: str, *, strict: bool = False) -> list[FileInfo]:
        if set("*[").intersection(pattern.partition("?")[0]):
            raise failure("no_patterns")
        try:
            return [await self.stat(pattern)]
        except TransportFailed as failed:
            if failed.reason != "missing":
                raise
            return []

    async def stat(self, path: str) -> FileInfo:
        async with self._request("HEAD", path, {}) as answer:
            file = describe_file(path, answer)
        # Some servers refuse HEAD, and some answer it with a length of 0: then the file itself is requested.
        if answer.is_success and file.size:
            return file
        async with self._request("GET", path, {"Range": "bytes=0-0"}) as answer:
            if answer.status_code != OUT_OF_RANGE:
                check_status(answer)
            return describe_file(path, answer)

    async def read(
        self, path: str, *, offset: int = 0, expected: FileInfo | None = None
    ) -> AsyncGenerator[bytes, None]:
        async with self._request("GET", path, range_headers(offset, expected)) as answer:
            surplus = count_surplus_bytes(answer, offset, expected, path)
            if surplus is None:
                return
            async for piece in skip_bytes(surplus, answer):
                yield piece

    async def put(self, path: str, data: AsyncIterator[bytes], begun: Begun = forget) -> int:
        raise failure("no_writing")

    async def discard(self, path: str, remains: str) -> None:
        raise failure("no_writing")

    async def delete(self, path: str) -> None:
        raise failure("no_writing")

    async def move(self, path: str, target: str, expected: FileInfo | None = None) -> bool:
        raise failure("no_writing")

    @asynccontextmanager
    async def _request(self, method: str, path: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """The answer after all redirects."""
        target = replace(self._home, path=encode_path("/" + check_path(path, LONGEST_URL).removeprefix("/")))
        for _ in range(MOST_HOPS + 1):
            answer = await self._send(method, target, headers)
            try:
                if answer.status_code not in REDIRECTS:
                    yield answer
                    return
                target = follow_redirect(target, answer)
            finally:
                await answer.aclose()
        raise failure("too_many_redirects")

    async def _send(self, method: str, target: ServerUrl, headers: Mapping[str, str]) -> httpx.Response:
        secrets = self._secret_headers if target.origin == self._home.origin else {}
        with translate_errors():
            url = httpx.URL(
                scheme=target.scheme, host=target.host, port=target.port, raw_path=target.path.encode("ascii")
            )
            request = self._client.build_request(method, url, headers={**secrets, **headers})
            async with time_limit(self._policy.connect_seconds + self._policy.idle_seconds):
                return await self._client.send(request, stream=True)


def build_secret_headers(remote: Remote) -> dict[str, str]:
    """The headers with secrets, which only the remote itself may see."""
    secret_headers = remote.options.get("headers", {})
    if not isinstance(secret_headers, Mapping):
        raise bad_option("headers")
    headers = {name: value.get_secret_value() for name, value in secret_headers.items()}
    for name, value in headers.items():
        if not TOKEN.fullmatch(name) or name.lower() in OUR_HEADERS or not (value.isascii() and value.isprintable()):
            raise bad_option("headers")
    if remote.user or remote.password:
        password = remote.password.get_secret_value() if remote.password else ""
        login = httpx.BasicAuth(remote.user, password)
        headers["Authorization"] = next(login.auth_flow(httpx.Request("GET", "http://x"))).headers["Authorization"]
    return headers


def follow_redirect(target: ServerUrl, answer: httpx.Response) -> ServerUrl:
    """The target of a redirect, checked like a URL from a caller."""
    here = f"{target.scheme}://{format_host(target.host)}:{target.port}{target.path}"
    try:
        there = parse_server_url(urljoin(here, answer.headers["location"]).partition("#")[0])
    except (KeyError, ValueError):
        raise failure("odd_answer") from None
    if target.scheme == "https" and there.scheme != "https":
        raise failure("insecure_redirect")
    return there


def format_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def describe_file(path: str, answer: httpx.Response) -> FileInfo:
    """The file as the headers of an answer describe it."""
    modified, tag = read_time(answer, "last-modified"), answer.headers.get("etag")
    charset = CHARSET.search(answer.headers.get("content-type", ""))
    return FileInfo(
        path,
        read_size(answer),
        modified,
        tag,
        charset=charset[1] if charset else "",
        coding=read_coding(answer),
        weak=is_weak(tag, modified, read_time(answer, "date")),
    )


def read_time(answer: httpx.Response, header: str) -> datetime | None:
    try:
        time = parsedate_to_datetime(answer.headers[header])
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def is_weak(tag: str | None, modified: datetime | None, now: datetime | None) -> bool:
    """Whether the file may have other bytes although its tag and time are the same: a weak tag means as much, and
    within the seconds of one time a file can change again (RFC 9110 §8.8.1, §8.8.2.2)."""
    if tag is not None:
        return not tag.startswith('"')
    return modified is None or now is None or now - modified < SETTLED


def read_coding(answer: httpx.Response) -> str:
    return str(answer.headers.get("content-encoding", "")).strip().lower()


def read_size(answer: httpx.Response) -> int | None:
    if answer.status_code in {PART, OUT_OF_RANGE}:
        content_range = CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        return int(content_range[2]) if content_range and content_range[2] != "*" else None
    length = answer.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


def range_headers(offset: int, expected: FileInfo | None) -> dict[str, str]:
    """Headers that request the rest of a file, or all of it if it has changed."""
    if not offset:
        return {}
    headers = {"Range": f"bytes={offset}-"}
    # If-Range does not allow weak tags.
    if expected and expected.tag and expected.tag.startswith('"'):
        headers["If-Range"] = expected.tag
    return headers


def count_surplus_bytes(answer: httpx.Response, offset: int, expected: FileInfo | None, path: str) -> int | None:
    """How many bytes of the body precede `offset`; None if nothing follows it."""
    if answer.status_code == OUT_OF_RANGE and read_size(answer) == offset:
        return None
    if answer.status_code == OUT_OF_RANGE:
        raise failure("changed")
    check_status(answer)
    if expected and expected.differs(describe_file(path, answer)):
        raise failure("changed")
    coding = read_coding(answer)
    # gzip is recognised by its first bytes. Of deflate the receiver must know from the description.
    if coding not in CODINGS or (expected and coding != expected.coding == "deflate"):
        raise failure("coded")
    if answer.status_code == WHOLE:
        return offset
    content_range = CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
    if not content_range or content_range[1] is None or int(content_range[1]) != offset:
        raise failure("odd_answer")
    return 0


async def skip_bytes(surplus: int, answer: httpx.Response) -> AsyncIterator[bytes]:
    """The body without its first `surplus` bytes."""
    with translate_errors():
        async for piece in answer.aiter_raw():
            if len(piece) > surplus:
                yield piece[surplus:]
            surplus = max(0, surplus - len(piece))


def check_status(answer: httpx.Response) -> None:
    if answer.status_code not in {WHOLE, PART}:
        raise failure(STATUSES.get(answer.status_code, "odd_answer"))
