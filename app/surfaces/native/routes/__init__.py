"""The endpoints of our own surface, a module for each thing they are about."""

from fastapi import APIRouter

from app.surfaces.native.routes import (
    connection_imports,
    connections,
    coupon_sets,
    documents,
    health,
    imports,
    records,
    types,
)

router = APIRouter()
for part in (imports, records, types, coupon_sets, connections, connection_imports, health, documents):
    router.include_router(part.router)
