"""Exports: made, made again, downloaded, delivered again."""

from app.dashboard.routes.exports import again, made, written

EXPORT_PAGES = (made, again, written)
