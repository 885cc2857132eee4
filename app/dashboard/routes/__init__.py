"""The pages, one file each. The prefix of each router is its whole path, because that is what the log tells."""

from fastapi import APIRouter

from app.dashboard.routes import files

router = APIRouter()
for page in (files,):
    router.include_router(page.router, include_in_schema=False)
