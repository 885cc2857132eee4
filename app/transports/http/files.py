"""Files from web servers: GET and HEAD over http and https, redirects followed by hand and checked at every hop."""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

import httpx
from pydantic import SecretStr

from app.transports.failed import TransportFailed, failure
from app.transports.http.sockets import CheckedTransport, spoken
from app.transports.transport import Entry, Option, Remote, Terms, plain, within
from app.transports.url import LONGEST_URL, ServerUrl, checked_port, server_url, wired

MOST_HOPS = 5
WHOLE, PART, OUT_OF_RANGE = 200, 206, 416
REDIRECTS = frozenset({301, 302, 303, 307, 308})
STATUSES: dict[int, str] = {
    401: "login", 403: "forbidden", 404: "missing", 407: "login", 408: "busy", 410: "missing", 412: "changed",
    425: "busy", 429: "busy", 500: "busy", 502: "busy", 503: "busy", 504: "busy",
}  # fmt: skip
# Ours to set: a caller who could would speak for us, or make one request look like two.
OUR_HEADERS = frozenset({
    "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "range", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-\d{1,18}|\*)/(\d{1,18}|\*)")
UNCODED = frozenset({"", "identity"})


def place_at(
    url: str,
    user: str = "",
    password: SecretStr | None = None,
    headers: Mapping[str, SecretStr] | None = None,
) -> tuple[Remote, str]:
    """The place and the path that an address means; refused as `server_url` refuses."""
    target = server_url(url)
    options: dict[str, Option] = {"headers": headers} if headers else {}
    return Remote(target.scheme, target.host, target.port, user, password, options), target.path


@asynccontextmanager
async def connected(remote: Remote, terms: Terms) -> AsyncIterator["Http"]:
    """A client for one place; it connects with the first request."""
    client = httpx.AsyncClient(
        transport=CheckedTransport(terms),
        trust_env=False,
        timeout=httpx.Timeout(terms.idle_seconds, connect=terms.connect_seconds),
        headers={"Accept-Encoding": "identity", "User-Agent": "Sluice"},
    )
    async with client:
        yield Http(client, remote, terms)


class Http:
    """A web server; paths are those of an address, with the query, percent-encoded or not."""

    def __init__(self, client: httpx.AsyncClient, remote: Remote, terms: Terms) -> None:
        self._client = client
        self._terms = terms
        self._home = ServerUrl(remote.scheme, remote.host.lower(), checked_port(remote.scheme, remote.port), "/")
        self._credentials = credentials(remote)

    async def list(self, pattern: str) -> list[Entry]:
        if set("*[").intersection(pattern.partition("?")[0]):
            raise failure("no_patterns")
        try:
            return [await self.stat(pattern)]
        except TransportFailed as failed:
            if failed.reason != "missing":
                raise
            return []

    async def stat(self, path: str) -> Entry:
        async with self._asked("HEAD", path, {}) as answer:
            entry = described(path, answer)
        # Some servers refuse HEAD, and some answer it with a length of nothing: the file itself is asked then.
        if answer.is_success and entry.size:
            return entry
        async with self._asked("GET", path, {"Range": "bytes=0-0"}) as answer:
            if answer.status_code != OUT_OF_RANGE:
                accepted(answer)
            return described(path, answer)

    async def read(self, path: str, *, offset: int = 0, expected: Entry | None = None) -> AsyncGenerator[bytes, None]:
        async with self._asked("GET", path, range_headers(offset, expected)) as answer:
            surplus = first_bytes_to_drop(answer, offset, expected, path)
            if surplus is None:
                return
            async for piece in after(surplus, answer):
                yield piece

    async def put(self, path: str, data: AsyncIterator[bytes]) -> Entry:
        raise failure("no_writing")

    async def delete(self, path: str) -> None:
        raise failure("no_writing")

    @asynccontextmanager
    async def _asked(self, method: str, path: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """The answer at the end of all redirects."""
        target = ServerUrl(*self._home.origin, wired("/" + plain(path, LONGEST_URL).removeprefix("/")))
        for _ in range(MOST_HOPS + 1):
            answer = await self._sent(method, target, headers)
            try:
                if answer.status_code not in REDIRECTS:
                    yield answer
                    return
                target = led_to(target, answer)
            finally:
                await answer.aclose()
        raise failure("too_many_redirects")

    async def _sent(self, method: str, target: ServerUrl, headers: Mapping[str, str]) -> httpx.Response:
        secrets = self._credentials if target.origin == self._home.origin else {}
        with spoken():
            url = httpx.URL(
                scheme=target.scheme, host=target.host, port=target.port, raw_path=target.path.encode("ascii")
            )
            request = self._client.build_request(method, url, headers={**secrets, **headers})
            async with within(self._terms.connect_seconds + self._terms.idle_seconds):
                return await self._client.send(request, stream=True)


def credentials(remote: Remote) -> dict[str, str]:
    """The headers that only the place itself may see."""
    given = remote.options.get("headers", {})
    if not isinstance(given, Mapping):
        raise failure("bad_option")
    headers = {name: value.get_secret_value() for name, value in given.items()}
    for name, value in headers.items():
        if not TOKEN.fullmatch(name) or name.lower() in OUR_HEADERS or not (value.isascii() and value.isprintable()):
            raise failure("bad_option")
    if remote.user or remote.password:
        password = remote.password.get_secret_value() if remote.password else ""
        login = httpx.BasicAuth(remote.user, password)
        headers["Authorization"] = next(login.auth_flow(httpx.Request("GET", "http://x"))).headers["Authorization"]
    return headers


def led_to(target: ServerUrl, answer: httpx.Response) -> ServerUrl:
    """Where a redirect leads, checked as if a caller had written it."""
    here = f"{target.scheme}://{bracketed(target.host)}:{target.port}{target.path}"
    try:
        there = server_url(urljoin(here, answer.headers["location"]).partition("#")[0])
    except (KeyError, ValueError):
        raise failure("odd_answer") from None
    if target.scheme == "https" and there.scheme != "https":
        raise failure("insecure_redirect")
    return there


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def described(path: str, answer: httpx.Response) -> Entry:
    """What the headers of an answer tell about the file."""
    modified: datetime | None = None
    try:
        modified = parsedate_to_datetime(answer.headers["last-modified"])
        modified = modified if modified.tzinfo else modified.replace(tzinfo=UTC)
    except (KeyError, ValueError, TypeError, OverflowError):
        modified = None
    return Entry(path, size_of(answer), modified, answer.headers.get("etag"))


def size_of(answer: httpx.Response) -> int | None:
    if answer.status_code in {PART, OUT_OF_RANGE}:
        told = CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        return int(told[2]) if told and told[2] != "*" else None
    length = answer.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


def range_headers(offset: int, expected: Entry | None) -> dict[str, str]:
    """Asks for the rest of a file, or for all of it if it is another one by now."""
    if not offset:
        return {}
    headers = {"Range": f"bytes={offset}-"}
    # A weak tag may not stand in If-Range.
    if expected and expected.tag and expected.tag.startswith('"'):
        headers["If-Range"] = expected.tag
    return headers


def first_bytes_to_drop(answer: httpx.Response, offset: int, expected: Entry | None, path: str) -> int | None:
    """How many bytes of the body come before `offset`, or None if nothing comes after it."""
    if answer.status_code == OUT_OF_RANGE and size_of(answer) == offset:
        return None
    if answer.status_code == OUT_OF_RANGE:
        raise failure("changed")
    accepted(answer)
    if expected and expected.differs(described(path, answer)):
        raise failure("changed")
    if answer.headers.get("content-encoding", "").strip().lower() not in UNCODED:
        raise failure("coded")
    if answer.status_code == WHOLE:
        return offset
    told = CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
    if not told or told[1] is None or int(told[1]) != offset:
        raise failure("odd_answer")
    return 0


async def after(surplus: int, answer: httpx.Response) -> AsyncIterator[bytes]:
    """The body without so many bytes of its beginning."""
    with spoken():
        async for piece in answer.aiter_raw():
            if len(piece) > surplus:
                yield piece[surplus:]
            surplus = max(0, surplus - len(piece))


def accepted(answer: httpx.Response) -> None:
    if answer.status_code not in {WHOLE, PART}:
        raise failure(STATUSES.get(answer.status_code, "odd_answer"))
