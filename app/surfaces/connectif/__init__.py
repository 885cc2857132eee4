"""Connectif's Import API: existing scripts work once they call this host."""

from app.surfaces.connectif.routes import ROUTES
from app.surfaces.connectif.translate import build_rate_headers, render_failure
from app.web.surface import Surface

SURFACE = Surface(
    name="connectif",
    title="Sluice: Connectif's Import API",
    description="Send a CSV or JSON Lines file, get an import in return, and poll it for its counts.",
    prefixes=("/imports",),
    routes=ROUTES,
    render=render_failure,
    rate_headers=build_rate_headers,
)
