"""A message to a webhook: what it tells, how far its delivery is, and the bytes that are sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from app.runs.kinds import Kind
from app.runs.states import HELD


class DeliveryState(StrEnum):
    """How far a message is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message. Its id is the same at each try, and in the header `webhook-id`. `due_at` is the moment of the next
    try."""

    id: str
    webhook_id: str
    run_id: str | None
    event: str
    data: Mapping[str, Any]
    state: DeliveryState
    tries: int
    due_at: datetime
    tried_at: datetime | None
    last_status: int | None
    last_reason: str | None
    created_at: datetime
    ended_at: datetime | None


def delivery_from(row: Mapping[Any, Any]) -> Delivery:
    """A message from its row."""
    return Delivery(
        id=row["id"],
        webhook_id=row["webhook_id"],
        run_id=row["run_id"],
        event=row["event"],
        data=row["data"],
        state=DeliveryState(row["state"]),
        tries=row["tries"],
        due_at=row["due_at"],
        tried_at=row["tried_at"],
        last_status=row["last_status"],
        last_reason=row["last_reason"],
        created_at=row["created_at"],
        ended_at=row["ended_at"],
    )


def build_body(event: str, happened_at: datetime, data: Mapping[str, Any], base: str) -> bytes:
    """The message as JSON, the same at each try. `base` is the address of this service; "": links are paths."""
    links = {"links": link_news(data, base)} if "kind" in data else {}
    return msgspec.json.encode({"type": event, "timestamp": happened_at, "data": {**data, **links}})


def link_news(data: Mapping[str, Any], base: str) -> dict[str, str]:
    own = f"{base}/runs/{data['id']}"
    links = {"self": own}
    if data["kind"] in (Kind.IMPORT, Kind.EXPORT):
        links["details"] = f"{base}/{data['kind']}s/{data['id']}"
    if data["status"] in HELD:
        links |= {word: f"{own}/{word}" for word in ("resume", "cancel")}
    return links
