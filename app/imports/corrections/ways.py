"""Tells which conversions a page may offer for the columns of an import."""

from collections.abc import Mapping

from app.declarations.types import build_resource
from app.imports.corrections.columns import find_declared
from app.imports.corrections.correction import TEXT_CONVERSIONS
from app.imports.plan import is_pending, load_plan
from app.mappings.conversions import CONVERSIONS
from app.resources.schema import Field
from app.runs.model import Run


def list_ways(run: Run) -> Mapping[str, frozenset[str]]:
    """By heading the names of the conversions that the field of the column allows and not every field does. Blocking: a
    type may be large."""
    if is_pending(run):
        return {}
    plan = load_plan(run)
    resource = build_resource(run.type, plan.declaration)
    return {column.heading: find_special(find_declared(column, resource)) for column in plan.columns}


def find_special(field: Field) -> frozenset[str]:
    return frozenset(name for name in TEXT_CONVERSIONS if field.type in (CONVERSIONS[name].types or ()))
