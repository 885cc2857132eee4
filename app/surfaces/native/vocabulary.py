"""The HTTP status of every refusal on our own surface."""

from collections.abc import Mapping
from typing import Final

from app.web.failures import INTERNAL_ERROR

STATUSES: Final[Mapping[str, int]] = {
    "bad_request": 400,
    "not_authenticated": 401,
    "not_allowed": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "import_not_ended": 409,
    "export_not_ended": 409,
    "sync_not_ended": 409,
    "not_held": 409,
    "nothing_to_retry": 409,
    "type_in_use": 409,
    "name_taken": 409,
    "secrets_locked": 409,
    "gone": 410,
    "too_large": 413,
    "unsupported_media_type": 415,
    "empty_file": 422,
    "unreadable_file": 422,
    "invalid": 422,
    "queue_full": 429,
    "too_many_requests": 429,
    "too_many_reads": 429,
    INTERNAL_ERROR: 500,
    "not_ready": 503,
}
