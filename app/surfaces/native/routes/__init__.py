"""The endpoints of our own surface, a module for each thing they are about."""

from fastapi import APIRouter

from app.surfaces.native.routes import connections, coupon_sets, documents, health, imports, pulls, records, types

router = APIRouter()
for part in (imports, records, types, coupon_sets, connections, pulls, health, documents):
    router.include_router(part.router)
