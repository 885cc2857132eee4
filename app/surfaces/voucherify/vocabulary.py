"""Voucherify's words: its statuses, its action types, its column headings, its error keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from app.runs.states import State
from app.web.failures import INTERNAL_ERROR

# `ENQUEUED` exists and is never shown: the vendor's own poller takes it for an end (contract, section 3).
Status = Literal["IN_PROGRESS", "DONE", "FAILED"]
OperationStatus = Literal["UNKNOWN", "SUCCESS", "FAILED"]
Type = Literal["CUSTOMERS.IMPORT_CSV", "CUSTOMERS.BULK_UPDATE", "CUSTOMERS.METADATA_UPDATE"]

STATUSES: Final[Mapping[State, Status]] = {
    State.QUEUED: "IN_PROGRESS",
    State.RUNNING: "IN_PROGRESS",
    State.FINISHED: "DONE",
    State.FAILED: "FAILED",
}
OPERATION_STATUSES: Final[Mapping[State, OperationStatus]] = {
    State.QUEUED: "UNKNOWN",
    State.RUNNING: "UNKNOWN",
    State.FINISHED: "SUCCESS",
    State.FAILED: "FAILED",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of async action: its `type` on the wire, and whether its result tells of rows in a file."""

    type: Type
    of_file: bool


# The run's origin -> what it is called here. Runs of other origins are no async actions.
ACTIONS: Final[Mapping[str, Kind]] = {
    "voucherify.csv": Kind("CUSTOMERS.IMPORT_CSV", of_file=True),
    "voucherify.bulk": Kind("CUSTOMERS.BULK_UPDATE", of_file=False),
    "voucherify.metadata": Kind("CUSTOMERS.METADATA_UPDATE", of_file=False),
}

# Heading in lower case -> field. A heading that is in none of them is one of the customer's metadata.
HEADINGS: Final[Mapping[str, str]] = {
    "id": "id",
    "source_id": "source_id",
    "name": "name",
    "email": "email",
    "phone": "phone",
    "birthdate": "birthdate",
    "description": "description",
    "address_line_1": "address.line_1",
    "address_line_2": "address.line_2",
    "address_postal_code": "address.postal_code",
    "postal_code": "address.postal_code",
    "address_city": "address.city",
    "city": "address.city",
    "address_state": "address.state",
    "state": "address.state",
    "address_country": "address.country",
    "country": "address.country",
}

# The parts of an address.
PARTS: Final = ("line_1", "line_2", "postal_code", "city", "state", "country")

# Field and problem code -> the reason as the vendor's own examples word it.
REASONS: Final[Mapping[tuple[str | None, str], str]] = {("phone", "type_error"): "Invalid phone format"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A refusal as Voucherify puts it."""

    status: int
    key: str | None
    message: str


ANSWERS: Final[Mapping[str, Answer]] = {
    "bad_request": Answer(400, "invalid_payload", "Invalid payload"),
    "invalid": Answer(400, "invalid_payload", "Invalid payload"),
    "empty_file": Answer(400, "invalid_payload", "Invalid payload"),
    "unreadable_file": Answer(400, "invalid_payload", "Invalid payload"),
    "not_authenticated": Answer(401, "unauthorized", "Unauthorized"),
    "not_allowed": Answer(403, "missing_required_permission", "Missing permission"),
    "not_found": Answer(404, "not_found", "Resource not found"),
    "gone": Answer(404, "not_found", "Resource not found"),
    "method_not_allowed": Answer(405, None, "HTTP Method Not Allowed"),
    "import_not_ended": Answer(409, "import_not_ended", "The import has not ended yet"),
    "type_in_use": Answer(409, "type_in_use", "Stored records contradict the new declaration"),
    "secrets_locked": Answer(409, "secrets_locked", "Secrets cannot be opened"),
    "name_taken": Answer(409, "duplicate_found", "Duplicate resource"),
    "too_large": Answer(413, None, "Request Entity Too Large"),
    "unsupported_media_type": Answer(415, "unsupported_media_type", "Unsupported Media Type"),
    "queue_full": Answer(429, "queue_full", "Too many requests hit the API too quickly."),
    "too_many_requests": Answer(429, None, "Too many requests hit the API too quickly."),
    INTERNAL_ERROR: Answer(500, "internal_error", "Internal server error"),
    "not_ready": Answer(503, "service_unavailable", "Service unavailable"),
}

BAD_QUERY: Final = Answer(400, "invalid_query_params", "Invalid query params")
