"""The one HTTP client of all commands: opens it, sends requests, follows pages, and reports what fails."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote

import httpx
import typer

from app.addresses import explain_silence
from app.cli.client.failures import JsonObject, RequestFailed, failed_response, parse_object, request_failed
from app.cli.client.printing import print_error, print_json

REFUSED: Final = 1
FAILED: Final = 2
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
TIMEOUT: Final = httpx.Timeout(60, connect=10)
MAX_PAGE: Final = 1_000


@contextmanager
def connect(url: str, key: str, *, as_json: bool = False) -> Iterator[httpx.Client]:
    """A client of the service. Reports a failure within, and ends the command: with exit code 1 if the service refused
    something, or 2 if it failed or cannot be reached."""
    try:
        with open_client(url, key) as client:
            yield client
    except RequestFailed as failure:
        report_failure(failure, as_json=as_json)
        raise typer.Exit(REFUSED if failure.refused else FAILED) from None


def report_failure(failure: RequestFailed, *, as_json: bool) -> None:
    if as_json:
        print_json(failure.body)
    print_error(failure)


def open_client(url: str, key: str) -> httpx.Client:
    """An HTTP client for the service at `url`, to be closed. Raises RequestFailed if key or address are not valid."""
    if not key.strip():
        raise request_failed(
            "No API key", "An API key is required. Set SLUICE_KEY or use --key. `sluice key create` creates a key"
        )
    if not (key.strip().isascii() and key.strip().isprintable()):
        raise request_failed(
            "Invalid API key",
            "The API key contains characters that no key has. Copy it again as `sluice key create` printed it",
        )
    try:
        base = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise request_failed("Invalid address", f"The address {url} is not valid: {error}") from error
    if base.scheme not in {"http", "https"} or not base.host:
        raise request_failed("Invalid address", f"The address {url} does not look like http://127.0.0.1:8000")
    headers = {"Authorization": f"apiKey {key.strip()}", "User-Agent": "sluice-cli"}
    # Proxies from the environment are for other machines, never for this one.
    return httpx.Client(base_url=base, headers=headers, timeout=TIMEOUT, trust_env=base.host not in LOOPBACK)


def build_path(*segments: str) -> str:
    """A path below the service's address. Keys of records may hold any character; dots alone would be resolved.
    Raises RequestFailed for an empty one, which would lead to another path."""
    if not all(segments):
        raise request_failed("Empty argument", "An argument is empty: an id, a name or a key is required")
    return "/".join(quote(each, safe="") if each.strip(".") else each.replace(".", "%2E") for each in segments)


def request(client: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
    """The response to a request; `more` is as httpx takes it. Raises RequestFailed."""
    try:
        response = client.request(method, path, **more)
    except httpx.RequestError as error:
        raise unreachable(client, error) from error
    if not response.is_success:
        raise failed_response(response)
    return response


@contextmanager
def stream(client: httpx.Client, path: str) -> Iterator[httpx.Response]:
    """A response whose body is read piece by piece. Raises RequestFailed, also if the body breaks off."""
    try:
        with client.stream("GET", path) as response:
            if not response.is_success:
                response.read()
                raise failed_response(response)
            yield response
    except httpx.RequestError as error:
        raise unreachable(client, error) from error


def get_object(client: httpx.Client, path: str, **params: Any) -> JsonObject:
    """The JSON object at a path. Raises RequestFailed."""
    return read_object(request(client, "GET", path, params=params))


def read_object(response: httpx.Response) -> JsonObject:
    """The JSON object of a response. Raises RequestFailed for one that has none."""
    body = parse_object(response)
    if body is None:
        raise failed_response(response)
    return body


def fetch_pages(
    client: httpx.Client, path: str, *, limit: int, size: str = "limit", largest: int = MAX_PAGE, **filters: str
) -> Iterator[JsonObject]:
    """The pages of a list, at most `limit` items in all. `size` is the parameter for the items of a page.

    Raises RequestFailed. The link to the next page may name another host than the one that is called (a proxy's): only
    its query is used, so the API key goes nowhere else.
    """
    pages = -(-limit // largest)
    params: dict[str, Any] = {**filters, size: -(-limit // pages)}
    left = limit
    while True:
        page = get_object(client, path, **params)
        yield shorten_page(page, left)
        left -= len(page["results"])
        following = page["links"].get("next")
        if not following or left <= 0:
            return
        params = dict(httpx.URL(following).params)


def shorten_page(page: JsonObject, most: int) -> JsonObject:
    """The page as it is, unless it has more items than are wanted."""
    if len(page["results"]) <= most:
        return page
    page["results"] = page["results"][:most]
    return JsonObject(page, json.dumps(page))


def unreachable(client: httpx.Client, error: httpx.RequestError) -> RequestFailed:
    return request_failed("No response", f"The service at {client.base_url} did not answer: {describe_error(error)}")


def describe_error(error: httpx.RequestError) -> str:
    """Why no answer came. What libraries say of a connection has numbers, and lines of C."""
    if isinstance(error, httpx.ConnectError):
        return describe_no_connection(error)
    if isinstance(error, httpx.TimeoutException):
        seconds = TIMEOUT.connect if isinstance(error, httpx.ConnectTimeout) else TIMEOUT.read
        return f"no answer within {seconds:g} seconds"
    return str(error) or type(error).__name__


def describe_no_connection(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message})"
    if isinstance(cause, ssl.SSLError):
        return "no HTTPS is spoken there. Does the address begin with http://?"
    return explain_silence(cause, 10)
