"""Cordial's product imports, jobs and products: existing integrations work once they call this host."""

from app.surfaces.cordial.routes import ROUTES
from app.surfaces.cordial.translate.failures import render_failure
from app.surfaces.cordial.translate.limits import build_rate_headers
from app.web.surface import Surface

SURFACE = Surface(
    name="cordial",
    title="Sluice: Cordial's product imports",
    description="Say where a file of products is, or send it. Get the id of a job, poll it, and read the products.",
    prefixes=("/v2", "/productimports"),
    routes=ROUTES,
    render=render_failure,
    rate_headers=build_rate_headers,
)
