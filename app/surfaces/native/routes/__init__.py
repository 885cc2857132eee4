"""The endpoints of our own surface, a module for each thing they are about."""

from app.surfaces.native.routes import item_images, records
from app.surfaces.native.routes.access import account_keys, accounts, audit, keys, own_account, people
from app.surfaces.native.routes.declared import (
    connections,
    coupon_sets,
    feeds,
    item_syncs,
    mappings,
    schedules,
    types,
    webhooks,
)
from app.surfaces.native.routes.runs import (
    connection_imports,
    corrections,
    exports,
    imports,
    item_sync_runs,
    runs,
    undo,
)
from app.surfaces.native.routes.service import account, documents, health, limits
from app.web.surface import collect_routes

PARTS = (
    runs,
    undo,
    imports,
    corrections,
    exports,
    schedules,
    limits,
    account,
    own_account,
    records,
    item_images,
    types,
    mappings,
    coupon_sets,
    connections,
    connection_imports,
    feeds,
    item_syncs,
    item_sync_runs,
    webhooks,
    keys,
    people,
    accounts,
    account_keys,
    audit,
    health,
    documents,
)
ROUTES = collect_routes((records.counts, audit.for_operator, *(part.router for part in PARTS)))
