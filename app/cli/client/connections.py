"""Finds a stored connection by its name or id."""

from typing import Any

import httpx

from app.cli.client.failures import RequestFailed
from app.cli.client.http import get_object


def find_connection(client: httpx.Client, name_or_id: str) -> dict[str, Any]:
    """The connection. Raises RequestFailed if there is none."""
    stored = get_object(client, "connections")["results"]
    for member in ("id", "name"):
        for each in stored:
            if each[member] == name_or_id:
                return dict(each)
    detail = f'There is no connection with the name or id "{name_or_id}"'
    raise RequestFailed({"status": 404, "title": "Not found", "detail": detail})
