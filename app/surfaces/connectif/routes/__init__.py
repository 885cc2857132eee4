"""Connectif's endpoints, one module per subject. Each path works with and without a final slash."""

from app.surfaces.connectif.routes import corrections, create, decide, read, rerun, retry
from app.web.surface import collect_routes

ROUTES = collect_routes([create.router, rerun.router, retry.router, corrections.router, read.router, decide.router])
