"""Cordial's endpoints, one module per subject."""

from app.surfaces.cordial.routes import health, imports, jobs, products
from app.web.surface import collect_routes

ROUTES = collect_routes(part.router for part in (imports, jobs, products, health))
