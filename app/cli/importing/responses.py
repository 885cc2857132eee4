"""Parses the responses of the service: an import, or an error."""

from dataclasses import dataclass
from typing import Final

import httpx
import msgspec

from app.errors import SluiceError

FINAL_STATUSES: Final = frozenset({"finished", "error", "cancelled"})
MAX_WAIT_SECONDS: Final = 30.0  # between two polls, whatever Retry-After says


class RequestFailed(SluiceError):
    """The service refused the request, failed or cannot be reached.

    `body` is the body of the error response, or one of the same shape made here.
    """

    def __init__(self, body: dict[str, object]) -> None:
        super().__init__(str(body.get("detail") or body.get("title") or "The service refused the request"))
        self.body = body


class ProblemSample(msgspec.Struct, frozen=True):
    line: int | None = None
    row: int | None = None
    value: str | None = None


class ProblemGroup(msgspec.Struct, frozen=True):
    """How many rows have one problem, or one warning, in one column."""

    code: str
    message: str = ""
    count: int = 0
    field: str | None = None
    column: str | None = None
    samples: tuple[ProblemSample, ...] = ()


class ImportFailure(msgspec.Struct, frozen=True):
    """Why an import failed as a whole."""

    code: str
    detail: str = ""


class ImportLinks(msgspec.Struct, frozen=True, rename="camel"):
    self: str | None = None
    problems: str | None = None
    failed_rows: str | None = None


class ImportStatus(msgspec.Struct, frozen=True, rename="camel"):
    """An import as the service describes it, as far as the client needs it."""

    id: str
    status: str
    type: str = ""
    total: int | None = None
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    success: int = 0
    errors: int = 0
    queue_position: int | None = None
    eta_seconds: float | None = None
    error_report_file_url: str | None = None
    error_summary: tuple[ProblemGroup, ...] = ()
    warnings: tuple[ProblemGroup, ...] = ()
    links: ImportLinks = ImportLinks()
    failure: ImportFailure | None = None

    @property
    def failed_rows(self) -> str | None:
        return self.error_report_file_url or self.links.failed_rows


@dataclass(frozen=True, slots=True)
class ImportResponse:
    """A response that describes an import: `body` is the whole body, `wait` the seconds until the next poll."""

    run: ImportStatus
    body: dict[str, object]
    wait: float


def parse_response(response: httpx.Response) -> ImportResponse:
    """Raises RequestFailed for an error response, and for one that does not describe an import."""
    body = parse_object(response)
    if not response.is_success or body is None:
        detail = f"{response.request.url} answered {response.status_code} {response.reason_phrase}"
        raise RequestFailed(body or {"status": response.status_code, "title": "Unexpected response", "detail": detail})
    try:
        return ImportResponse(msgspec.convert(body, ImportStatus), body, retry_after_seconds(response, default=1.0))
    except msgspec.ValidationError as error:
        raise request_failed(
            "Unexpected response", f"{response.request.url} did not answer with an import: {error}"
        ) from error


def parse_object(response: httpx.Response) -> dict[str, object] | None:
    try:
        return msgspec.json.decode(response.content, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def retry_after_seconds(response: httpx.Response, *, default: float) -> float:
    """The seconds of Retry-After; `default` if there is no such header, or if it is a date."""
    try:
        return min(max(float(response.headers.get("Retry-After", default)), 0.05), MAX_WAIT_SECONDS)
    except ValueError:
        return default


def request_failed(title: str, detail: str) -> RequestFailed:
    return RequestFailed({"title": title, "detail": detail})
