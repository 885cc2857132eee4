"""Voucherify's endpoints, one module per subject."""

from app.surfaces.voucherify.routes import actions, customers, imports, oauth
from app.web.surface import collect_routes

ROUTES = collect_routes(part.router for part in (imports, actions, customers, oauth))
