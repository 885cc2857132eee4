"""The pages in the left column, each with the scope that it needs."""

from dataclasses import dataclass
from typing import Final

from app.dashboard.visitor import Visitor


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page of the navigation."""

    title: str
    path: str
    scope: str
    icon: str  # the name of a symbol in templates/parts/icons.html


ENTRIES: Final[tuple[PageLink, ...]] = (
    PageLink("Jobs", "/app/jobs", "imports:read", "jobs"),
    PageLink("New job", "/app/start", "imports:write", "new"),
    PageLink("Records", "/app/records", "records:read", "records"),
    PageLink("Templates", "/app/templates", "mappings:read", "templates"),
    PageLink("Item sync", "/app/syncs", "syncs:read", "sync"),
    PageLink("Schedules", "/app/schedules", "schedules:read", "clock"),
    PageLink("Feeds", "/app/feeds", "feeds:read", "folder"),
    PageLink("Connections", "/app/settings/connections", "connections:read", "server"),
    PageLink("Import defaults", "/app/settings/account", "imports:read", "limits"),
    PageLink("Webhooks", "/app/settings/webhooks", "webhooks:read", "bell"),
    PageLink("API keys", "/app/keys", "admin", "key"),
    PageLink("People", "/app/people", "admin", "people"),
    PageLink("Audit log", "/app/audit", "audit:read", "log"),
)


def visible_entries(visitor: Visitor) -> list[PageLink]:
    """The pages that the visitor has a right to, in the order of the navigation."""
    return [entry for entry in ENTRIES if visitor.has_scope(entry.scope)]
