"""Cordial's words: the statuses of its jobs, its error keys."""

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
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A refusal as Cordial puts it; `message` where the vendor's is fixed."""

    status: int
    key: str
    message: str | None = None


# Basic first, as the vendor's own clients do.
HOW_TO_SEND_A_KEY: Final = (
    "The key is missing or wrong: send it by Basic authentication, as the user name with an empty password, "
    "or in the header Authorization: apiKey <id>:<secret>"
)
INVALID: Final = Answer(422, "VALIDATION_ERROR")
ANSWERS: Final[Mapping[str, Answer]] = {
    "bad_request": Answer(400, "INVALID_JSON_PROVIDED"),
    "invalid": INVALID,
    "empty_file": INVALID,
    "unreadable_file": INVALID,
    "not_authenticated": Answer(401, "UNAUTHORIZED", HOW_TO_SEND_A_KEY),
    "not_allowed": Answer(403, "FORBIDDEN"),
    "not_found": Answer(404, "RECORD_NOT_FOUND", "Record not found."),
    "gone": Answer(404, "RECORD_NOT_FOUND"),
    "method_not_allowed": Answer(405, "METHOD_NOT_ALLOWED"),
    "import_not_ended": Answer(409, "IMPORT_NOT_ENDED"),
    "type_in_use": Answer(409, "TYPE_IN_USE"),
    "too_large": Answer(413, "REQUEST_TOO_LARGE"),
    "unsupported_media_type": Answer(415, "UNSUPPORTED_MEDIA_TYPE"),
    "queue_full": Answer(429, "TOO_MANY_REQUESTS"),
    "too_many_requests": Answer(429, "TOO_MANY_REQUESTS"),
    INTERNAL_ERROR: Answer(500, "INTERNAL_ERROR"),
    "not_ready": Answer(503, "SERVICE_UNAVAILABLE"),
}
# A form that cannot be read is no JSON that is wrong.
BROKEN_FORM: Final = Answer(400, "BAD_REQUEST")
NO_STORAGE: Final = "STORAGE_CONNECTION_ERROR"
