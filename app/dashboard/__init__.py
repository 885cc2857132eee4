"""The dashboard: pages for people under /app, over the same engine as the HTTP APIs."""

from app.dashboard.render import render_failure
from app.dashboard.routes import ROUTES
from app.web.surface import Surface

DASHBOARD = Surface(
    name="dashboard",
    title="Sluice: the dashboard",
    description="Pages for people. No API: scripts use the surfaces.",
    prefixes=("/app",),
    routes=ROUTES,
    render=render_failure,
    rate_headers=lambda _: {},
)
