"""Connectif's words: its statuses, its three record types, its codes."""

from collections.abc import Mapping
from typing import Final, Literal

from app.runs.states import State
from app.web.failures import STATUSES as STATUS_OF

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

# Refusal -> HTTP status and the `code` on the wire: those of our own API, but for a full queue (`E0401`, status 400).
ANSWERS: Final[Mapping[str, tuple[int, str]]] = {
    **{code: (status, code) for code, status in STATUS_OF.items()},
    "queue_full": (400, "E0401"),
}
