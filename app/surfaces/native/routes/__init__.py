"""The endpoints of our own surface, a module for each thing they are about."""

from fastapi import APIRouter, Depends

from app.surfaces.native.routes import item_images, records
from app.surfaces.native.routes.access import keys, people
from app.surfaces.native.routes.declared import connections, coupon_sets, feeds, item_syncs, mappings, schedules, types
from app.surfaces.native.routes.runs import connection_imports, exports, imports, item_sync_runs, runs
from app.surfaces.native.routes.service import documents, health, limits
from app.web.checks import refuse_unknown_query
from app.web.refusals import refusals

router = APIRouter()
PARTS = (
    runs,
    imports,
    exports,
    schedules,
    limits,
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
    keys,
    people,
)
for part in (records.counts, *(each.router for each in PARTS)):
    router.include_router(part, dependencies=[Depends(refuse_unknown_query)], responses=refusals(422))
# Monitors add parameters of their own to an address, and browsers keep what they are given.
for open_part in (health, documents):
    router.include_router(open_part.router)
