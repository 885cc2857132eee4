"""The pages, one file each. The prefix of each router is its whole path, because that is what the log tells."""

from fastapi import APIRouter

from app.dashboard.routes import files
from app.dashboard.routes.access import me, sign_in, welcome

router = APIRouter()
for page in (files, me, sign_in, welcome):
    router.include_router(page.router, include_in_schema=False)
