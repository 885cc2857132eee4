"""Voucherify's customer imports, async actions and customers: its SDKs work once they call this host."""

from app.surfaces.voucherify.routes import ROUTES
from app.surfaces.voucherify.translate.failures import render_failure
from app.surfaces.voucherify.translate.limits import build_rate_headers
from app.surfaces.voucherify.wire.oauth import SECURITY
from app.web.surface import Surface

SURFACE = Surface(
    name="voucherify",
    title="Sluice: Voucherify's customer imports",
    description="Send a CSV file of customers, get an async action in return, poll it, and read the customers.",
    prefixes=("/v1", "/customers"),
    routes=ROUTES,
    render=render_failure,
    rate_headers=build_rate_headers,
    security=SECURITY,
)
