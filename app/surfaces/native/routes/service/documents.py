"""The OpenAPI document of all surfaces, and a page that shows it without internet access."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import fastapi_offline
import msgspec
from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from app.errors import Refused
from app.surfaces.native import translate
from app.web.openapi import build_document

router = APIRouter(include_in_schema=False)
STATIC = Path(fastapi_offline.__file__).parent / "static"
FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}


@router.get("/")
async def root() -> RedirectResponse:
    """Leads a browser that was given only the address to the pages. The path is relative, for proxies with a prefix."""
    return RedirectResponse("app")


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """Made once, beside the other requests: it takes more than a second of processor time."""
    state = request.app.state
    if not hasattr(state, "document"):
        state.document = asyncio.create_task(asyncio.to_thread(render_document, request.app.routes))
    return Response(await asyncio.shield(state.document), media_type=translate.JSON)


def render_document(routes: Sequence[BaseRoute]) -> bytes:
    return msgspec.json.encode(
        build_document("Sluice", "Bulk imports whose counts are correct at every moment.", routes)
    )


@router.get("/docs")
async def docs() -> HTMLResponse:
    page = get_swagger_ui_html(
        title="Sluice",
        openapi_url="openapi.json",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="docs/favicon.png",
    )
    page.headers["Content-Security-Policy"] = build_content_policy(bytes(page.body))
    return page


def build_content_policy(page: bytes) -> str:
    """Nothing from other hosts, and no inline script but the one that the page has now."""
    scripts = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    allowed = " ".join(f"'sha256-{b64encode(sha256(each).digest()).decode()}'" for each in scripts)
    return (
        f"default-src 'none'; script-src 'self' {allowed}; connect-src 'self'; img-src 'self' data:; "
        # Swagger sets its styles in attributes.
        "style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@router.get("/docs/{file}")
async def docs_file(file: str) -> FileResponse:
    if file not in FILES:
        raise Refused("not_found", "There is nothing at this path")
    return FileResponse(STATIC / file, media_type=FILES[file], headers={"Cache-Control": "max-age=3600"})
