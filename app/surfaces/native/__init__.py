"""What no vendor has: problems and failed rows of an import, records, types, coupon sets, and the service's health."""

from app.surfaces.native.routes import router
from app.surfaces.native.translate import failure_shown, rate_headers
from app.web.surface import Surface

SURFACE = Surface(
    name="native",
    title="Sluice: what the vendors' surfaces do not have",
    description="Problems and failed rows of an import, records, record types, coupon sets, health and metrics.",
    prefixes=("/",),
    router=router,
    render=failure_shown,
    rate_headers=rate_headers,
)
