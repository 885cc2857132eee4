"""Cordial's words: the statuses of its jobs and its error keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from app.runs.states import State
from app.web.failures import INTERNAL_ERROR

ORIGIN: Final = "cordial"  # of the runs that are jobs here
JOB_NAME: Final = "ImportProducts"

Status = Literal["Pending", "Processing", "Done", "Failed"]
STATUSES: Final[Mapping[State, Status]] = {
    State.QUEUED: "Pending",
    State.RUNNING: "Processing",
    State.FINISHED: "Done",
    State.FAILED: "Failed",
    State.CANCELLED: "Failed",
    State.HALTED: "Pending",
    State.PLANNED: "Pending",
}


@dataclass(frozen=True, slots=True)
class CordialError:
    """A refusal in Cordial's terms. `message` is set where the vendor prescribes it."""

    status: int
    key: str
    message: str | None = None


# Basic comes first, because the vendor's own clients use it.
HOW_TO_SEND_A_KEY: Final = (
    "The key is missing or wrong. Send it by Basic authentication, as the user name with an empty password, "
    "or in the header `Authorization: apiKey <id>:<secret>`"
)
INVALID: Final = CordialError(422, "VALIDATION_ERROR")
ANSWERS: Final[Mapping[str, CordialError]] = {
    "bad_request": CordialError(400, "INVALID_JSON_PROVIDED"),
    "invalid": INVALID,
    "empty_file": INVALID,
    "unreadable_file": INVALID,
    "not_authenticated": CordialError(401, "UNAUTHORIZED", HOW_TO_SEND_A_KEY),
    "not_allowed": CordialError(403, "FORBIDDEN"),
    "quota_reached": CordialError(403, "QUOTA_REACHED"),
    "account_suspended": CordialError(403, "ACCOUNT_SUSPENDED"),
    "not_found": CordialError(404, "RECORD_NOT_FOUND", "Record not found."),
    "gone": CordialError(404, "RECORD_NOT_FOUND"),
    "method_not_allowed": CordialError(405, "METHOD_NOT_ALLOWED"),
    "import_not_ended": CordialError(409, "IMPORT_NOT_ENDED"),
    "type_in_use": CordialError(409, "TYPE_IN_USE"),
    "too_large": CordialError(413, "REQUEST_TOO_LARGE"),
    "unsupported_media_type": CordialError(415, "UNSUPPORTED_MEDIA_TYPE"),
    "queue_full": CordialError(429, "TOO_MANY_REQUESTS"),
    "too_many_requests": CordialError(429, "TOO_MANY_REQUESTS"),
    "too_many_reads": CordialError(429, "TOO_MANY_REQUESTS"),
    INTERNAL_ERROR: CordialError(500, "INTERNAL_ERROR"),
    "not_ready": CordialError(503, "SERVICE_UNAVAILABLE"),
}
# For a form that cannot be read, INVALID_JSON_PROVIDED would be wrong.
BROKEN_FORM: Final = CordialError(400, "BAD_REQUEST")
STORAGE_ERROR: Final = "STORAGE_CONNECTION_ERROR"
