"""Mapping templates: listed, made from a file without a job, changed and removed."""

from app.dashboard.routes.templates import columns, listed, new, one, removed

TEMPLATE_PAGES = (listed, new, columns, one, removed)  # "new" is no id
