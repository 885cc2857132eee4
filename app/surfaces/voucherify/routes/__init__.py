"""Voucherify's endpoints, one module per subject."""

from fastapi import APIRouter

from app.surfaces.voucherify.routes import actions, customers, imports, oauth

router = APIRouter()
for part in (imports, actions, customers, oauth):
    router.include_router(part.router)
