"""What a webhook may be declared as: where it goes, and what it is told of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.deliveries.webhooks.webhook import SUBSCRIBABLE
from app.errors import Complaint, Refused, describe, join_choices, shorten_name
from app.resources.canonical import to_nfc
from app.runs.acceptance import find_name_mistake
from app.transports.failed import TransportFailed
from app.transports.url import parse_server_url

LONGEST_URL: Final = 2_048  # characters
NOT_ENCRYPTED: Final = (
    "`url` must begin with `https://`. The operator can allow `http://` with `SLUICE_WEBHOOK_HTTP=true`"
)


@dataclass(frozen=True, slots=True)
class WebhookDeclaration:
    """A webhook as somebody wants it."""

    name: str
    url: str
    events: Sequence[str] = SUBSCRIBABLE
    only_named: bool = False
    enabled: bool = True


def check_declaration(wanted: WebhookDeclaration, *, plain: bool) -> WebhookDeclaration:
    """With its events in their usual order. `plain`: `http://` is allowed. Raises Refused("invalid") with everything
    that is wrong. Nothing is looked up: an address may come and go, and each try checks it."""
    complaints = [*find_mistakes(wanted, plain=plain)]
    if complaints:
        raise Refused("invalid", describe(complaints), complaints)
    events = tuple(event for event in SUBSCRIBABLE if event in wanted.events)
    return WebhookDeclaration(to_nfc(wanted.name), wanted.url, events, wanted.only_named, wanted.enabled)


def find_mistakes(wanted: WebhookDeclaration, *, plain: bool) -> Iterator[Complaint]:
    if mistake := find_name_mistake(wanted.name):
        yield Complaint("name", mistake)
    if mistake := find_url_mistake(wanted.url, plain=plain):
        yield Complaint("url", mistake)
    if unknown := [event for event in wanted.events if event not in SUBSCRIBABLE]:
        choices = join_choices(f"`{event}`" for event in SUBSCRIBABLE)
        yield Complaint("events", f"There is no event `{shorten_name(unknown[0])}`. It can be {choices}")
    elif not wanted.events:
        yield Complaint("events", "`events` must have at least one event")


def find_url_mistake(url: str, *, plain: bool) -> str | None:
    """Why nothing can be sent to an address, as a sentence."""
    if len(url) > LONGEST_URL:
        return f"`url` must have at most {LONGEST_URL:,} characters"
    try:
        target = parse_server_url(url)
    except TransportFailed as failed:
        return f"`url` cannot be used. {failed.detail}"
    return None if plain or target.scheme == "https" else NOT_ENCRYPTED


def build_columns(declared: WebhookDeclaration) -> Mapping[str, Any]:
    return {
        "name": declared.name,
        "url": declared.url,
        "events": list(declared.events),
        "only_named": declared.only_named,
        "enabled": declared.enabled,
    }
