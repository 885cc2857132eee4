"""Cordial's endpoints, one module per subject."""

from fastapi import APIRouter

from app.surfaces.cordial.routes import health, imports, jobs, products

router = APIRouter()
for part in (imports, jobs, products, health):
    router.include_router(part.router)
