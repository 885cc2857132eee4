"""Voucherify's words: its statuses, its types of action, its column headings, its error keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from app.runs.states import State
from app.web.failures import INTERNAL_ERROR

# `ENQUEUED` exists but is never sent, because the vendor's own poller takes it for an end (contract, section 3).
Status = Literal["IN_PROGRESS", "DONE", "FAILED"]
OperationStatus = Literal["UNKNOWN", "SUCCESS", "FAILED"]
Type = Literal["CUSTOMERS.IMPORT_CSV", "CUSTOMERS.BULK_UPDATE", "CUSTOMERS.METADATA_UPDATE"]

STATUSES: Final[Mapping[State, Status]] = {
    State.QUEUED: "IN_PROGRESS",
    State.RUNNING: "IN_PROGRESS",
    State.FINISHED: "DONE",
    State.FAILED: "FAILED",
    State.CANCELLED: "FAILED",
    # They are not at their end: the vendor's pollers take FAILED for one.
    State.HALTED: "IN_PROGRESS",
    State.PLANNED: "IN_PROGRESS",
}
OPERATION_STATUSES: Final[Mapping[State, OperationStatus]] = {
    State.QUEUED: "UNKNOWN",
    State.RUNNING: "UNKNOWN",
    State.FINISHED: "SUCCESS",
    State.FAILED: "FAILED",
    State.CANCELLED: "FAILED",
    State.HALTED: "UNKNOWN",
    State.PLANNED: "UNKNOWN",
}


@dataclass(frozen=True, slots=True)
class ActionKind:
    """A kind of async action: its `type` on the wire, and whether its result is about the rows of a file."""

    type: Type
    of_file: bool


# By the origin of the run. Runs of other origins are not async actions.
ACTIONS: Final[Mapping[str, ActionKind]] = {
    "voucherify.csv": ActionKind("CUSTOMERS.IMPORT_CSV", of_file=True),
    "voucherify.bulk": ActionKind("CUSTOMERS.BULK_UPDATE", of_file=False),
    "voucherify.metadata": ActionKind("CUSTOMERS.METADATA_UPDATE", of_file=False),
}

# The field of each heading, which may be in upper or lower case. All other headings are metadata of the customer.
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

ADDRESS_PARTS: Final = ("line_1", "line_2", "postal_code", "city", "state", "country")

# By field and problem code, the reason as the vendor's own examples word it.
REASONS: Final[Mapping[tuple[str | None, str], str]] = {("phone", "type_error"): "Invalid phone format"}


@dataclass(frozen=True, slots=True)
class VoucherifyError:
    """A refusal in Voucherify's terms."""

    status: int
    key: str | None
    message: str


ANSWERS: Final[Mapping[str, VoucherifyError]] = {
    "bad_request": VoucherifyError(400, "invalid_payload", "Invalid payload"),
    "invalid": VoucherifyError(400, "invalid_payload", "Invalid payload"),
    "empty_file": VoucherifyError(400, "invalid_payload", "Invalid payload"),
    "unreadable_file": VoucherifyError(400, "invalid_payload", "Invalid payload"),
    "not_authenticated": VoucherifyError(401, "unauthorized", "Unauthorized"),
    "not_allowed": VoucherifyError(403, "missing_required_permission", "Missing permission"),
    "quota_reached": VoucherifyError(403, "quota_reached", "Quota reached"),
    "account_suspended": VoucherifyError(403, "account_suspended", "Account suspended"),
    "not_found": VoucherifyError(404, "not_found", "Resource not found"),
    "gone": VoucherifyError(404, "not_found", "Resource not found"),
    "method_not_allowed": VoucherifyError(405, None, "HTTP Method Not Allowed"),
    "import_not_ended": VoucherifyError(409, "import_not_ended", "The import has not ended yet"),
    "type_in_use": VoucherifyError(409, "type_in_use", "Stored records contradict the new declaration"),
    "secrets_locked": VoucherifyError(409, "secrets_locked", "Secrets cannot be opened"),
    "name_taken": VoucherifyError(409, "duplicate_found", "Duplicate resource"),
    "too_large": VoucherifyError(413, None, "Request Entity Too Large"),
    "unsupported_media_type": VoucherifyError(415, "unsupported_media_type", "Unsupported Media Type"),
    "queue_full": VoucherifyError(429, "queue_full", "Too many requests hit the API too quickly."),
    "too_many_requests": VoucherifyError(429, None, "Too many requests hit the API too quickly."),
    "too_many_reads": VoucherifyError(429, None, "Too many requests hit the API too quickly."),
    INTERNAL_ERROR: VoucherifyError(500, "internal_error", "Internal server error"),
    "not_ready": VoucherifyError(503, "service_unavailable", "Service unavailable"),
}

BAD_QUERY: Final = VoucherifyError(400, "invalid_query_params", "Invalid query params")
