"""Where the rows of an import go, and how they meet the records that exist already."""

from app.declarations.types import build_resource
from app.imports.plan import Options, Plan, load_options, load_plan
from app.resources.conversion import quote_json
from app.resources.schema import Resource
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.merge import MergeTarget, Mode


def build_target(runtime: Runtime, run: Run, *, flat: bool = False) -> MergeTarget:
    """`flat`: no record of the run holds a list or an object."""
    plan, options = load_plan(run), load_options(run)
    resource = build_resource(run.type, plan.declaration)
    return MergeTarget(
        account_id=run.account_id,
        type=run.type,
        run_id=run.id,
        run_seq=run.seq,
        mode=merge_mode(options),
        unique_keys=options.duplicates != "last",
        fixed=find_fixed_field(resource, plan),
        named_by=resource.named_by,
        flat=flat,
        record_bytes=runtime.limits.record_bytes,
        staged=options.is_staged,
        names_keys=options.replace,
        noted=options.undoable and runtime.settings.undo_days > 0,
        within=find_part(resource, plan),
    )


def merge_mode(options: Options) -> Mode:
    if options.deletes:
        return "remove"
    if options.only_empty:
        return "fill"
    return "overwrite" if options.override_existing else "keep"


def find_fixed_field(resource: Resource, plan: Plan) -> str | None:
    """The field whose change in an existing record is a conflict; None if no row can change it. Where records are found
    by that very field it cannot differ, unless a row may name its record by the id instead."""
    surrogate = resource.surrogate
    if surrogate is not None and all(column.field != surrogate.id for column in plan.columns):
        return None
    return resource.fixed


def find_part(resource: Resource, plan: Plan) -> str | None:
    """The part of the type that the file is about, as JSON of an object; None: the whole type. The coupons of a file
    are those of one set, and say nothing about others."""
    if resource.fixed is None or resource.fixed not in plan.constants:
        return None
    return f"{{{quote_json(resource.fixed)}:{plan.constants[resource.fixed]}}}"
