"""Makes the shapes of item syncs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from app.runs.model import Run
from app.surfaces.native.wire.declared.item_syncs import ItemSync, ItemSyncList
from app.surfaces.native.wire.shape import Links
from app.syncs.settings import SyncSettings
from app.syncs.stored import StoredSync

UNSET: Final = {each.name for each in fields(SyncSettings) if each.default is None}  # that an answer leaves out


def item_sync(stored: StoredSync, schedules: Mapping[str, Sequence[str]], runs: Mapping[str, Run]) -> ItemSync:
    """`schedules` are the ids of those that run each item sync, `runs` the last run of each that has one."""
    declaration, last = stored.declaration, runs.get(stored.id)
    every = asdict(declaration.settings)
    settings = {name: value for name, value in every.items() if value is not None or name not in UNSET}
    told: dict[str, Any] = {} if last is None else {"last_run_id": last.id, "last_run_status": last.state}
    return ItemSync(
        id=stored.id,
        name=declaration.name,
        connection_id=declaration.connection_id,
        **settings,
        **told,
        schedule_ids=list(schedules.get(stored.id, ())),
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def item_sync_list(
    syncs: Sequence[StoredSync], schedules: Mapping[str, Sequence[str]], runs: Mapping[str, Run]
) -> ItemSyncList:
    return ItemSyncList(links=Links(), results=[item_sync(each, schedules, runs) for each in syncs])
