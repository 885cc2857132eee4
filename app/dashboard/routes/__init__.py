"""The pages, one file each. The prefix of each router is its whole path, because that is what the log tells."""

from fastapi import APIRouter

from app.dashboard.routes import files, templates
from app.dashboard.routes.access import me, sign_in, welcome
from app.dashboard.routes.catalogue import records, rows, types

router = APIRouter()
PAGES = (
    *(files, me, sign_in, welcome),
    *(types, records, rows),
    templates,
)
for page in PAGES:
    router.include_router(page.router, include_in_schema=False)
