"""What the service answers to a client: an import, or a refusal."""

from dataclasses import dataclass
from typing import Final

import httpx
import msgspec

from app.errors import SluiceError

ENDED: Final = frozenset({"finished", "error", "cancelled"})
LONGEST_WAIT: Final = 30.0  # seconds between two polls, whatever Retry-After says


class NotDone(SluiceError):
    """The service refused, failed or cannot be reached; `body` is the error answer, or one made here."""

    def __init__(self, body: dict[str, object]) -> None:
        super().__init__(str(body.get("detail") or body.get("title") or "The service refused"))
        self.body = body


class Sample(msgspec.Struct, frozen=True):
    line: int | None = None
    row: int | None = None
    value: str | None = None


class Group(msgspec.Struct, frozen=True):
    """Bad rows (or warnings) with one reason in one column, counted."""

    code: str
    message: str = ""
    count: int = 0
    field: str | None = None
    column: str | None = None
    samples: tuple[Sample, ...] = ()


class Failure(msgspec.Struct, frozen=True):
    """Why a whole import failed."""

    code: str
    detail: str = ""


class Links(msgspec.Struct, frozen=True, rename="camel"):
    self: str | None = None
    problems: str | None = None
    failed_rows: str | None = None


class Run(msgspec.Struct, frozen=True, rename="camel"):
    """An import as the service shows it, as far as the client needs it."""

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
    error_summary: tuple[Group, ...] = ()
    warnings: tuple[Group, ...] = ()
    links: Links = Links()
    failure: Failure | None = None

    @property
    def failed_rows(self) -> str | None:
        return self.error_report_file_url or self.links.failed_rows


@dataclass(frozen=True, slots=True)
class Answer:
    """An import as answered: `body` is all that the service said, `wait` the seconds it asks to wait."""

    run: Run
    body: dict[str, object]
    wait: float


def understood(response: httpx.Response) -> Answer:
    """The import in an answer; raises NotDone for a refusal, and for what no such service would say."""
    body = read_object(response)
    if not response.is_success or body is None:
        said = f"{response.request.url} answered {response.status_code} {response.reason_phrase}"
        raise NotDone(body or {"status": response.status_code, "title": "Not understood", "detail": said})
    try:
        return Answer(msgspec.convert(body, Run), body, asked_wait(response, default=1.0))
    except msgspec.ValidationError as error:
        raise refusal("Not understood", f"{response.request.url} answered with no import: {error}") from error


def read_object(response: httpx.Response) -> dict[str, object] | None:
    try:
        return msgspec.json.decode(response.content, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def asked_wait(response: httpx.Response, *, default: float) -> float:
    """The seconds of Retry-After; `default` when there is none, or a date."""
    try:
        return min(max(float(response.headers.get("Retry-After", default)), 0.05), LONGEST_WAIT)
    except ValueError:
        return default


def refusal(title: str, detail: str) -> NotDone:
    return NotDone({"title": title, "detail": detail})
