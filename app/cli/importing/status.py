"""An import as the service describes it, as far as the command line needs it."""

from dataclasses import dataclass
from typing import Final

import httpx
import msgspec

from app.cli.client.failures import JsonObject, request_failed, retry_after_seconds
from app.cli.client.http import read_object

FINAL_STATUSES: Final = frozenset({"finished", "error", "cancelled"})
MAX_WAIT_SECONDS: Final = 30.0  # between two polls, whatever Retry-After says
HELD_PAUSE_SECONDS: Final = 0.3  # after a poll that was held, because a run that is worked on changes all the time


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
    hint: str = ""


class ImportFailure(msgspec.Struct, frozen=True):
    """Why an import failed as a whole."""

    code: str
    detail: str = ""


class ImportLinks(msgspec.Struct, frozen=True, rename="camel"):
    self: str | None = None
    problems: str | None = None
    failed_rows: str | None = None
    commit: str | None = None  # of a dry run that waits
    changes: str | None = None  # of what waits and has written nothing yet


class ImportStatus(msgspec.Struct, frozen=True, rename="camel"):
    """An import, without what only people read."""

    id: str
    status: str
    type: str = ""
    total: int | None = None
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    removed: int | None = None
    success: int = 0
    errors: int = 0
    queue_position: int | None = None
    waiting_for: str | None = None  # what it can do nothing without at the moment
    eta_seconds: float | None = None
    error_report_file_url: str | None = None
    error_summary: tuple[ProblemGroup, ...] = ()
    warnings: tuple[ProblemGroup, ...] = ()
    links: ImportLinks = ImportLinks()
    failure: ImportFailure | None = None
    held: str | None = None  # halted or planned: it waits for somebody to resume or cancel it
    plan: int = 0  # the number of what it shows then

    @property
    def is_settled(self) -> bool:
        """Whether nothing more becomes of it by itself."""
        return self.held is not None or self.status in FINAL_STATUSES

    @property
    def failed_rows(self) -> str | None:
        return self.error_report_file_url or self.links.failed_rows


@dataclass(frozen=True, slots=True)
class ImportResponse:
    """A response that describes an import: `body` is the whole body, `wait` the seconds until the next poll, and `tag`
    what it sends to be told only of changes."""

    run: ImportStatus
    body: JsonObject
    wait: float
    tag: str = ""


decode_status = msgspec.json.Decoder(ImportStatus).decode


def parse_import(response: httpx.Response) -> ImportResponse:
    """Raises RequestFailed for a response that does not describe an import."""
    body = read_object(response)
    try:
        return ImportResponse(decode_status(body.text), body, pause_after(response), response.headers.get("ETag", ""))
    except msgspec.DecodeError as error:
        raise request_failed(
            "Unexpected response", f"{response.request.url} did not answer with an import: {error}"
        ) from error


def pause_after(response: httpx.Response) -> float:
    """The seconds until the next poll. A service that holds polls until something has changed sets the pace itself."""
    if "Preference-Applied" in response.headers:
        return HELD_PAUSE_SECONDS
    wait = retry_after_seconds(response, longest=MAX_WAIT_SECONDS)
    return 1.0 if wait is None else wait
