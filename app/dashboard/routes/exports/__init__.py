"""Exports: made, made again, downloaded, delivered again."""

from fastapi import APIRouter

from app.dashboard.routes.exports import again, made, written

router = APIRouter()
for page in (made, again, written):
    router.include_router(page.router)
