"""What the forms of schedules and feeds offer: connections, types, templates, item syncs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from app.connections.connection import list_connections
from app.dashboard.views.clock.form import DEFAULT
from app.dashboard.visitor import Visitor
from app.mappings.templates.stored import list_templates
from app.resources.registry import BUILT_IN
from app.runtime import Runtime
from app.schedules.cron import list_zones
from app.storage import types
from app.syncs.stored import list_syncs

MOST_TEMPLATES: Final = 500
Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Choices:
    """Each a list of a value and its words."""

    connections: Sequence[Choice]
    types: Sequence[Choice]
    templates: Sequence[Choice]
    syncs: Sequence[Choice]
    zones: Sequence[Choice]


async def load_choices(runtime: Runtime, visitor: Visitor, transports: Collection[str] = ()) -> Choices:
    """`transports`: those that will do; all if it is empty. What the visitor may not see is left out."""
    async with runtime.database.read() as session:
        may = visitor.has_scope
        account_id = visitor.account_id
        connections = await list_connections(session, runtime.vault, account_id) if may("connections:read") else []
        own = await types.list_names(session, account_id)
        found = await list_templates(session, account_id, type=None, after=("", ""), limit=MOST_TEMPLATES)
        syncs = await list_syncs(session, account_id) if may("syncs:read") else []
    names = dict.fromkeys([*BUILT_IN, *own])
    templates = [(row["id"], f"{row['name']} ({row['type']})") for row in found.rows if may("mappings:read")]
    return Choices(
        connections=[
            (each.id, f"{each.declaration.settings['name']} ({each.declaration.settings['transport'].upper()})")
            for each in connections
            if not transports or each.declaration.settings["transport"] in transports
        ],
        types=[(name, name) for name in names],
        templates=[(DEFAULT, "Default: columns are called like the fields"), *templates],
        syncs=[(each.id, each.declaration.name) for each in syncs],
        zones=[(zone, zone) for zone in sorted(list_zones())],
    )
