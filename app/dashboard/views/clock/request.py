"""What a schedule starts, as facts for its page."""

from collections.abc import Mapping
from typing import Any, Final

# By the name in the request, in the order of the page.
FACTS: Final = {
    "path": "File",
    "type": "Record type",
    "format": "Format",
    "mode": "Mode",
    "destinations": "Goes to",
}
LINKED: Final = ("mappingId",)


def facts_of_request(request: Mapping[str, Any]) -> list[tuple[str, str]]:
    told = {**request, "destinations": ", ".join(each["path"] for each in request.get("destinations") or [])}
    return [(words, str(told[name])) for name, words in FACTS.items() if told.get(name)]


def others_of_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """What only the API has set."""
    return {name: value for name, value in request.items() if name not in FACTS and name not in LINKED}
