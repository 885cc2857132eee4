"""Finds a stored mapping template by its name or id."""

from typing import Any, Final
from unicodedata import normalize

import httpx

from app.cli.client.failures import RequestFailed
from app.cli.client.http import fetch_pages

DEFAULT: Final = "default"
EVERY: Final = 1_000  # as many as an account may have


def choose_mapping(client: httpx.Client, name_or_id: str, type: str | None = None) -> dict[str, str]:
    """What a request sends to use this template, or the default one: its id and its type. Raises RequestFailed."""
    if name_or_id == DEFAULT:
        return {"mappingId": DEFAULT}
    template = find_template(client, name_or_id, type)
    return {"mappingId": template["id"], "type": template["type"]}


def find_template(client: httpx.Client, name_or_id: str, type: str | None = None) -> dict[str, Any]:
    """The template in brief: id, name, type. Raises RequestFailed for none, and for one of each of several types."""
    query: dict[str, Any] = {} if type is None else {"type": type}
    stored = [each for page in fetch_pages(client, "mappings", limit=EVERY, **query) for each in page["results"]]
    found = [each for each in stored if each["id"] == name_or_id] or [
        each for each in stored if each["name"] == normalize("NFC", name_or_id)
    ]
    if len(found) == 1:
        return dict(found[0])
    if found:
        types = ", ".join(each["type"] for each in found)
        detail = f'There is a mapping template named "{name_or_id}" for each of these types: {types}. Use --type'
    else:
        for_type = "" if type is None else f" for the type {type}"
        detail = f'There is no mapping template with the name or id "{name_or_id}"{for_type}'
    raise RequestFailed({"status": 404, "title": "Not found", "detail": detail})
