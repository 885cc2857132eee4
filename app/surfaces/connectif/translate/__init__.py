"""Connectif's form into a submission, a run into Connectif's import, a failure into its answer."""

from app.surfaces.connectif.translate.answers import failure_shown, page_links, rate_headers, shown
from app.surfaces.connectif.translate.form import Asked, asked, form_of, invalid, submission

__all__ = [
    "Asked",
    "asked",
    "failure_shown",
    "form_of",
    "invalid",
    "page_links",
    "rate_headers",
    "shown",
    "submission",
]
