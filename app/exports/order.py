"""What an export writes, settled when it starts: its type and its mapping as they are then."""

import asyncio
from dataclasses import dataclass

from app.declarations.types import load_resource
from app.errors import Fatal, Refused
from app.exports.layout import FileOptions, Selected, load_file_options, load_selected
from app.mappings.declaring.fitting import fit_mapping
from app.mappings.mapping import Mapping
from app.mappings.templates.stored import load_mapping
from app.resources.schema import Resource
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.storage.exports.selection import Selection


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """Which records, which columns, and how they are written."""

    resource: Resource
    mapping: Mapping
    file: FileOptions
    selection: Selection


async def find_mapping(session: ReadSession, account_id: int, type: str, selected: Selected) -> Mapping:
    """The mapping as it is now. Raises Refused("invalid") if there is no such template for the type."""
    if selected.mapping.columns:
        return selected.mapping
    return await load_mapping(session, account_id, selected.mapping_id, type)


async def load_order(runtime: Runtime, run: Run) -> ExportOrder:
    """Raises Fatal if the mapping is gone, or does not fit its type any more."""
    selected = load_selected(run)
    async with runtime.database.read() as session:
        resource, _ = await load_resource(session, run.account_id, run.type)
        try:
            mapping = await find_mapping(session, run.account_id, run.type, selected)
        except Refused as refused:
            raise Fatal("mapping_missing", refused.detail) from None
    try:
        mapping = await asyncio.to_thread(fit_mapping, mapping, resource)
    except Refused as refused:
        raise Fatal("mapping_unfit", refused.detail) from None
    selection = Selection(run.account_id, run.type, selected.filter, as_made=resource.name in resource.named_types)
    return ExportOrder(resource, mapping, load_file_options(run), selection)
