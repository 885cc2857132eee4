"""Import/Export settings: the connections of an account, how they are tested, changed and removed."""

from fastapi import APIRouter

from app.dashboard.routes.connections import listed, made, one, removed, tests

router = APIRouter()
for page in (listed, made, one, tests, removed):
    router.include_router(page.router)
