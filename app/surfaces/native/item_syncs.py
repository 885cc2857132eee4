"""Makes the shapes of item syncs, and reads what callers declare."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from app.surfaces.native.wire.declared.item_syncs import ItemSync, ItemSyncBody, ItemSyncList
from app.surfaces.native.wire.shape import Links
from app.syncs.settings import SyncSettings
from app.syncs.stored import StoredSync, SyncDeclaration
from app.web.surface import parse_shape

SETTINGS: Final = {each.name for each in fields(SyncSettings)}
UNSET: Final = {each.name for each in fields(SyncSettings) if each.default is None}  # that an answer leaves out
# What an answer adds, so that an answer can be sent back as it is.
ADDED: Final = ("id", "scheduleIds", "createdAt", "updatedAt")


def parse_declaration(body: dict[str, Any]) -> SyncDeclaration:
    """Raises one Refused("invalid") that names every mistake."""
    shape = parse_shape(ItemSyncBody, {member: value for member, value in body.items() if member not in ADDED})
    settings = SyncSettings(**shape.model_dump(include=SETTINGS))
    return SyncDeclaration(shape.name, shape.connection_id, settings)


def item_sync(stored: StoredSync, schedules: Mapping[str, Sequence[str]]) -> ItemSync:
    """`schedules` are the ids of those that run each item sync."""
    declaration = stored.declaration
    every = asdict(declaration.settings)
    settings = {name: value for name, value in every.items() if value is not None or name not in UNSET}
    return ItemSync(
        id=stored.id,
        name=declaration.name,
        connection_id=declaration.connection_id,
        **settings,
        schedule_ids=list(schedules.get(stored.id, ())),
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def item_sync_list(syncs: Sequence[StoredSync], schedules: Mapping[str, Sequence[str]]) -> ItemSyncList:
    return ItemSyncList(links=Links(), results=[item_sync(each, schedules) for each in syncs])
