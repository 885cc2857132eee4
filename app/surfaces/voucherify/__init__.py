"""Voucherify's customer imports, async actions and customers: its SDKs work once their host is changed."""

from app.surfaces.voucherify.routes import router
from app.surfaces.voucherify.translate.failures import failure_shown
from app.surfaces.voucherify.translate.limits import rate_headers
from app.surfaces.voucherify.wire.oauth import SECURITY
from app.web.surface import Surface

SURFACE = Surface(
    name="voucherify",
    title="Sluice: customer imports as Voucherify's API has them",
    description="Send a CSV file of customers, get an async action back, poll it, read the customers.",
    prefixes=("/v1", "/customers"),
    router=router,
    render=failure_shown,
    rate_headers=rate_headers,
    security=SECURITY,
)
