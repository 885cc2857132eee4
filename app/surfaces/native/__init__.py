"""Our own surface: what no vendor's API has, such as failed rows, record types, connections and health."""

from app.surfaces.native.routes import ROUTES
from app.surfaces.native.translate import rate_headers, render_failure
from app.web.surface import Surface

SURFACE = Surface(
    name="native",
    title="Sluice: what the vendors' APIs do not have",
    description="Problems and failed rows of an import, records, record types, coupon sets, connections, exports, "
    "schedules, feeds, webhooks, the administration of accounts, and health.",
    prefixes=("/",),
    routes=ROUTES,
    render=render_failure,
    rate_headers=rate_headers,
)
