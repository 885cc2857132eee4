"""Connectif's words: its statuses, its three record types, its codes."""

from collections.abc import Mapping
from typing import Final, Literal

from app.runs.states import State
from app.web.failures import INTERNAL_ERROR

Status = Literal["queued", "inProgress", "finished", "error", "cancelled"]

STATUSES: Final[Mapping[State, Status]] = {
    State.QUEUED: "queued",
    State.RUNNING: "inProgress",
    State.FINISHED: "finished",
    State.FAILED: "error",
    State.CANCELLED: "cancelled",
    # Its clients know no other words. `held` tells them apart.
    State.HALTED: "error",
    State.PLANNED: "queued",
}

# Connectif's own types. For these every documented part is required, and headings must match the case of the field.
ELEMENTS: Final = frozenset({"contacts", "products", "coupons"})

BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "false": False}

# Refusal -> HTTP status and the `code` on the wire.
ANSWERS: Final[Mapping[str, tuple[int, str]]] = {
    "bad_request": (400, "bad_request"),
    "queue_full": (400, "E0401"),
    "too_many_requests": (429, "too_many_requests"),
    "too_many_reads": (429, "too_many_reads"),
    "not_authenticated": (401, "not_authenticated"),
    "not_allowed": (403, "not_allowed"),
    "not_found": (404, "not_found"),
    "method_not_allowed": (405, "method_not_allowed"),
    "import_not_ended": (409, "import_not_ended"),
    "export_not_ended": (409, "export_not_ended"),
    "not_held": (409, "not_held"),
    "plan_changed": (409, "plan_changed"),
    "nothing_to_retry": (409, "nothing_to_retry"),
    "sync_not_ended": (409, "sync_not_ended"),
    "type_in_use": (409, "type_in_use"),
    "name_taken": (409, "name_taken"),
    "secrets_locked": (409, "secrets_locked"),
    "gone": (410, "gone"),
    "too_large": (413, "too_large"),
    "unsupported_media_type": (415, "unsupported_media_type"),
    "empty_file": (422, "empty_file"),
    "unreadable_file": (422, "unreadable_file"),
    "invalid": (422, "invalid"),
    INTERNAL_ERROR: (500, "internal_error"),
    "not_ready": (503, "not_ready"),
}
