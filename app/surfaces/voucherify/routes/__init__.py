"""Voucherify's endpoints, a module for each thing they are about."""

from fastapi import APIRouter

from app.surfaces.voucherify.routes import actions, customers, imports, oauth

router = APIRouter()
for part in (imports, actions, customers, oauth):
    router.include_router(part.router)
