"""Keeps what is chosen for columns: in the draft, and as a mapping template if the person wants that."""

from collections.abc import Mapping
from typing import Any, Final

from app.dashboard.visitor import Visitor
from app.drafts.columns.choice import FORGOTTEN
from app.drafts.columns.review import ColumnReview
from app.drafts.draft import Draft, Step, choose
from app.mappings.declaring.options import OPTIONS
from app.mappings.mapping import DEFAULT
from app.mappings.templates.stored import StoredTemplate
from app.runtime import Runtime
from app.web.caller import write_as
from app.web.declared.mappings import create_mapping, replace_mapping

OVERWRITE: Final = "overwrite"
NEW: Final = "new"


async def keep_choices(runtime: Runtime, visitor: Visitor, draft: Draft, review: ColumnReview) -> None:
    """What is chosen so far counts from now on, also if an import would be refused for it. Raises Refused: not_found,
    not_authenticated."""
    async with write_as(visitor.caller, runtime) as session:
        await choose(session, draft, choose_body(review))


def choose_body(review: ColumnReview) -> dict[str, Any]:
    """The choices of a draft that brings a mapping of its own."""
    return {**FORGOTTEN, "mapping": review.body, "mappingId": None, "basedOn": review.base.id if review.base else None}


async def settle_columns(
    runtime: Runtime, visitor: Visitor, draft: Draft, review: ColumnReview, template: StoredTemplate | None, step: Step
) -> None:
    """The columns are done. The import names `template`, or the one that nothing was changed in, or brings a mapping of
    its own. Raises Refused: not_found, not_authenticated."""
    kept = template or (None if review.is_changed else review.base)
    if kept is None and review.is_changed:
        choices = choose_body(review)
    else:
        choices = {**FORGOTTEN, "mappingId": kept.id if kept else DEFAULT, "settled": True}
    async with write_as(visitor.caller, runtime) as session:
        await choose(session, draft, choices, next_step=step)


async def save_template(
    runtime: Runtime, visitor: Visitor, draft: Draft, review: ColumnReview, save: str, name: str
) -> StoredTemplate | None:
    """Stores the mapping under a new name, or in place of the template that it began with; None if neither is wanted.
    Raises Refused: invalid, name_taken, not_allowed, not_found, not_authenticated."""
    if save == NEW:
        body = build_template(draft, review, name)
        return await create_mapping(runtime, visitor.caller, {**body, "type": review.resource.name})
    if save == OVERWRITE and review.base is not None:
        body = build_template(draft, review, review.base.name)
        return await replace_mapping(runtime, visitor.caller, review.base, body)
    return None


def build_template(draft: Draft, review: ColumnReview, name: str) -> Mapping[str, Any]:
    """The body of `POST /mappings`, which says how the file is read, too, and the other options that were chosen."""
    dialect = review.preview.dialect
    read = {"delimiter": dialect.delimiter, "encoding": dialect.encoding} if dialect.format == "csv" else {}
    chosen = {option: draft.choices[option] for option in OPTIONS if option in draft.choices}
    return {**review.body, "name": name, "options": {**review.body.get("options", {}), **chosen, **read}}


def build_change(review: ColumnReview, name: str, changed: Mapping[str, Any]) -> dict[str, Any]:
    """The body of `PUT /mappings/{id}` of a template that was changed without a file; `changed` are options, with ""
    for one that is taken away."""
    options = {option: value for option, value in {**review.body.get("options", {}), **changed}.items() if value != ""}
    return {**review.body, "name": name, "options": options}
