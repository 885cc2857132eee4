"""What a draft copies of an earlier import, and in what its new file differs."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from app.auth.identity import Identity
from app.connections.connection import load_connection
from app.connections.pull import Pull
from app.declarations.types import build_resource
from app.drafts.begin import keep_source, keep_upload, store
from app.drafts.columns.choice import FORGOTTEN
from app.drafts.draft import Draft
from app.drafts.run_choice import is_of_file
from app.imports.examine import Upload
from app.imports.plan import is_pending, load_options, load_plan, load_request
from app.imports.seen import find_missing, find_new
from app.imports.submissions.rerun import build_pull, refuse_list
from app.mappings.declaring.declaration import mapping_to_json
from app.mappings.templates.stored import StoredTemplate, find_template
from app.resources.schema import Resource
from app.runs.holding.brakes import BRAKES
from app.runs.model import Run
from app.runtime import Runtime

GUESSED_AGAIN: Final = ("utf", "windows-1252")  # encodings that are found without being told


@dataclass(frozen=True, slots=True)
class ChangedColumns:
    """Headings that the new file has and the earlier one had not, and the other way round."""

    new: Sequence[str]
    missing: Sequence[str]

    def __bool__(self) -> bool:
        return bool(self.new or self.missing)


def copy_choices(parent: Run) -> dict[str, Any]:
    """The choices of an import as a draft has them. Its mapping is copied as it was then. A name that only told which
    file it was is left out."""
    options, request = load_options(parent), load_request(parent)
    mapping = copy_mapping(parent)
    members: dict[str, Any] = {
        "type": parent.type,
        "name": None if is_of_file(parent.name, parent.file_name) else parent.name,
        "format": request.read.format,
        "delimiter": None if request.read.delimiter == "auto" else request.read.delimiter,
        "encoding": find_encoding(parent),
        "overrideExisting": options.override_existing,
        "updateOnlyEmptyFields": options.only_empty,
        "replace": options.replace,
        "mode": "delete" if options.deletes else "write",
        "onError": options.on_error,
        "undoable": options.undoable,
        "blankCells": options.blank_cells,
        "nullMarker": options.null_marker,
        "duplicates": options.duplicates,
        "unknownColumns": options.unknown_columns,
        "confirmEmail": parent.notify,
        "mapping": mapping,
        "copied": True if mapping else None,
    }
    brakes = {each.name: getattr(options.brakes, name) for name, each in BRAKES.items()} if options.brakes else {}
    return {name: value for name, value in (members | brakes).items() if value is not None}


async def copy_with_template(runtime: Runtime, parent: Run, *, may_use_templates: bool) -> dict[str, Any]:
    """`copy_choices` with the mapping template of the import, as long as that says what it said then."""
    choices, used = copy_choices(parent), load_request(parent).mapping.id
    if not may_use_templates:
        return choices
    async with runtime.database.read() as session:
        template = await find_template(session, parent.account_id, used)
    if template is None or not await asyncio.to_thread(says_so, template, parent.type, choices.get("mapping")):
        return choices
    kept = {name: value for name, value in choices.items() if name not in FORGOTTEN}
    return kept | {"mappingId": template.id, "settled": True}


def says_so(template: StoredTemplate, type: str, copied: Mapping[str, Any] | None) -> bool:
    return template.type == type and to_plain(mapping_to_json(template.as_mapping())) == copied


def find_encoding(parent: Run) -> str | None:
    encoding = "" if is_pending(parent) else str(parent.plan["dialect"]["encoding"])
    return None if not encoding or encoding.startswith(GUESSED_AGAIN) else encoding


def copy_mapping(parent: Run) -> dict[str, Any] | None:
    """The mapping in its wire form. One that belongs to a vendor's contract is told by what came of it: column by
    column."""
    mapping = load_request(parent).mapping
    if mapping.is_native:
        return to_plain(mapping_to_json(mapping))
    if is_pending(parent) or not (plan := load_plan(parent)).header:
        return None
    filled = {column.index: column.field for column in plan.columns if column.known}
    columns = [
        {"column": heading} | ({"field": filled[index]} if index in filled else {"ignore": True})
        for index, heading in enumerate(plan.header)
        if heading and (index in filled or index in plan.ignored)
    ]
    constants = {name: json.loads(value) for name, value in plan.constants.items()}
    return {"hasHeader": True, "columns": columns} | ({"constants": constants} if constants else {})


def to_plain(built: Mapping[str, object]) -> dict[str, Any]:
    """With the raw JSON in it as values."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(built))
    return plain


def compare_columns(parent: Run, header: Sequence[str]) -> ChangedColumns:
    """How the header of a new file differs from that of the import. Nothing differs where one of them has none."""
    request = load_request(parent)
    if request.seen is None or not header:
        return ChangedColumns((), ())
    resource = resource_of(parent)
    return ChangedColumns(
        list(find_new(header, request.seen, request.mapping, resource)),
        list(find_missing(header, request.seen, request.mapping, resource)),
    )


def resource_of(parent: Run) -> Resource:
    """The type as the import knew it."""
    return build_resource(parent.type, load_plan(parent).declaration)


async def repeat_upload(
    runtime: Runtime, parent: Run, sender: Identity, upload: Upload, choices: Mapping[str, Any]
) -> tuple[Draft, ChangedColumns]:
    """A draft of a new file, with the choices that were copied of the import. If the columns are as before there is
    nothing left but to run it. Raises Refused as `keep_upload` does, and invalid for what no file was sent for."""
    refuse_list(parent)
    values = {"choices": choices, "parent_id": parent.id, "step": "columns"}
    draft = await keep_upload(runtime, parent.account_id, sender, upload, values=values)
    changed = compare_columns(parent, draft.facts.header if draft.facts else ())
    if not changed:
        draft = await store(runtime, parent.account_id, sender, draft, {"step": "run"})
    return draft, changed


async def repeat_source(runtime: Runtime, parent: Run, sender: Identity, choices: Mapping[str, Any]) -> Draft:
    """A draft of the file that the import has fetched, as it is now. Raises Refused: not_found (its connection),
    secrets_locked, invalid (the credentials are not kept), and as `keep_source` does."""
    source = parent.source or {}
    if source.get("complete") and "connection_id" in source:
        async with runtime.database.read() as session:
            connection = await load_connection(session, runtime.vault, parent.account_id, source["connection_id"])
        pull = Pull(connection.remote(), source["path"], connection.id)
    else:
        pull = build_pull(parent)
    values = {"choices": choices, "parent_id": parent.id, "step": "run"}
    return await keep_source(runtime, parent.account_id, sender, pull, values=values)


async def repeat_elsewhere(runtime: Runtime, parent: Run, sender: Identity, choices: Mapping[str, Any]) -> Draft:
    """A draft that has everything but its file: somebody has to say where that is. Raises Refused: queue_full (too many
    drafts), not_authenticated."""
    values = {"choices": choices, "parent_id": parent.id}
    return await store(runtime, parent.account_id, sender, None, values)
