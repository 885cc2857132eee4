"""The connections of an account, how they are tested, changed and removed."""

from app.dashboard.routes.connections import listed, made, one, removed, tests

CONNECTION_PAGES = (listed, made, one, tests, removed)
