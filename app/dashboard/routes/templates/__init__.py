"""Mapping templates: listed, made from a file without a job, changed and removed."""

from fastapi import APIRouter

from app.dashboard.routes.templates import columns, listed, new, one, removed

router = APIRouter()
for page in (listed, new, columns, one, removed):  # "new" is no id
    router.include_router(page.router)
