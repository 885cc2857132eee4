"""Voucherify's async actions, and the requests that start one."""

from typing import Any, Final, Literal

from pydantic import Field

from app.surfaces.voucherify.wire.shape import VoucherifyShape
from app.web.shapes import UNSET_TIME, Timestamp

Type = Literal["CUSTOMERS.IMPORT_CSV", "CUSTOMERS.BULK_UPDATE", "CUSTOMERS.METADATA_UPDATE"]
# `ENQUEUED` is one of the vendor's words, but is never sent: an action is IN_PROGRESS as soon as it is accepted.
Status = Literal["ENQUEUED", "IN_PROGRESS", "DONE", "FAILED"]


class Started(VoucherifyShape):
    async_action_id: str = Field(
        description="The id with which to poll the action", examples=["aa_018bcfe568a1c0ffee012345"]
    )


class FailedRow(VoucherifyShape):
    source_id: str = Field(description="As in the row. Empty if the row has none")
    row: int = Field(description="The number of the row. The first row after the header is 1")
    reason: str = Field(examples=["Invalid phone format"])


class RowError(VoucherifyShape):
    message: str
    details: str
    key: str = Field(description="What is wrong, for programs", examples=["type_error"])
    source_id: str


class Result(VoucherifyShape):
    """A CSV file has `message` and `failed`. Bulk updates have `reports`, `reports_available_till` and `errors`."""

    message: str = Field(default="", examples=["2 customer(s) imported successfully, 1 failed."])
    failed: list[FailedRow] = Field(default=[], description="The first 1,000 rows that failed")
    done_count: int
    failed_count: int
    reports: list[str] = Field(default=[], description="URLs of CSV files, which require the key")
    reports_available_till: Timestamp = Field(default=UNSET_TIME)
    errors: list[RowError] = Field(default=[], description="The errors of the first 1,000 items that failed")


class AsyncAction(VoucherifyShape):
    """`result`, `processing_time` and `progress` 100 appear together with `DONE`, once the customers can be read."""

    id: str = Field(examples=["aa_018bcfe568a1c0ffee012345"])
    type: Type
    status: Status
    operation_status: Literal["UNKNOWN", "SUCCESS", "FAILED"]
    created_at: Timestamp
    updated_at: Timestamp
    request_id: str = Field(description="The id of the request that started it", examples=["v-0a885062c80375740f"])
    processing_time: int = Field(default=0, description="Milliseconds from acceptance to the end")
    progress: int = Field(ge=0, le=100)
    object: Literal["async_action"]
    result: Result = Field(default=Result(done_count=0, failed_count=0))


class AsyncActionList(VoucherifyShape):
    """Newest first, without their results."""

    object: Literal["list"]
    data_ref: Literal["async_actions"]
    async_actions: list[AsyncAction]
    has_more: bool


CSV_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV with commas and a header, plain or gzipped, at most 52,428,800 bytes",
                        }
                    },
                },
                "encoding": {"file": {"contentType": "text/csv"}},
            }
        },
    }
}

ADDRESS: Final = {
    "type": ["object", "null"],
    "properties": {
        name: {"type": ["string", "null"]} for name in ("city", "state", "line_1", "line_2", "country", "postal_code")
    },
}
CUSTOMER: Final = {
    "type": "object",
    "required": ["source_id"],
    "properties": {
        "source_id": {"type": "string", "maxLength": 255},
        "name": {"type": ["string", "null"]},
        "email": {"type": ["string", "null"]},
        "phone": {"type": ["string", "null"]},
        "birthdate": {"type": ["string", "null"], "description": "ISO 8601, with or without a time of day"},
        "description": {"type": ["string", "null"]},
        "address": ADDRESS,
        "metadata": {"type": ["object", "null"], "additionalProperties": True},
    },
}
BULK_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "minItems": 1, "items": CUSTOMER},
                "example": [{"source_id": "customer-1", "name": "Jane", "metadata": {"level": "gold"}}],
            }
        },
    }
}
METADATA_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["source_ids", "metadata"],
                    "properties": {
                        "source_ids": {"type": "array", "minItems": 1, "items": {"type": "string", "maxLength": 255}},
                        "metadata": {"type": "object", "additionalProperties": True},
                    },
                },
                "example": {"source_ids": ["customer-1"], "metadata": {"level": "gold"}},
            }
        },
    }
}
REPORT: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
