"""Stylesheet and scripts."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from app.dashboard.static_files import STATIC_FILES
from app.errors import Refused

router = APIRouter(prefix="/app/static")
FILES: Final = {file.name: file for file in STATIC_FILES.values()}
A_YEAR: Final = "public, max-age=31536000, immutable"


@router.get("/{name}")
async def send_file(name: str) -> Response:
    """A file by the name that holds its hash, so that browsers never ask twice."""
    if name not in FILES:
        raise Refused("not_found", "There is no such file")
    return Response(FILES[name].content, media_type=FILES[name].media_type, headers={"Cache-Control": A_YEAR})
