"""Turns Connectif's form into a submission, a run into Connectif's import, and a failure into its answer."""

from app.surfaces.connectif.translate.again import form_from_members, parse_rerun, parse_retry
from app.surfaces.connectif.translate.answers import build_page_links, build_rate_headers, render_failure, to_wire
from app.surfaces.connectif.translate.form import form_from_json, parse_form, refuse

__all__ = [
    "build_page_links",
    "build_rate_headers",
    "form_from_json",
    "form_from_members",
    "parse_form",
    "parse_rerun",
    "parse_retry",
    "refuse",
    "render_failure",
    "to_wire",
]
