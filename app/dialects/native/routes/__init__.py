"""The endpoints of our own surface, a module for each thing they are about."""

from fastapi import APIRouter

from app.dialects.native.routes import coupon_sets, documents, health, imports, records, types

router = APIRouter()
for part in (imports, records, types, coupon_sets, health, documents):
    router.include_router(part.router)
