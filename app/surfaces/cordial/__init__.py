"""Cordial's product imports, jobs and products: its customers' integrations work once their host is changed."""

from app.surfaces.cordial.routes import router
from app.surfaces.cordial.translate.failures import failure_shown
from app.surfaces.cordial.translate.limits import rate_headers
from app.web.surface import Surface

SURFACE = Surface(
    name="cordial",
    title="Sluice: product imports as Cordial's API has them",
    description="Name a file of products by its address, or send it; get a job's id back, poll it, read the products.",
    prefixes=("/v2", "/productimports"),
    router=router,
    render=failure_shown,
    rate_headers=rate_headers,
)
