"""Connectif's Import API: existing scripts work once their host is changed."""

from app.surfaces.connectif.routes import router
from app.surfaces.connectif.translate import failure_shown, rate_headers
from app.web.surface import Surface

SURFACE = Surface(
    name="connectif",
    title="Sluice: imports as Connectif's Import API has them",
    description="Send a CSV or JSON Lines file, get an import back, poll it for counts.",
    prefixes=("/imports",),
    router=router,
    render=failure_shown,
    rate_headers=rate_headers,
)
