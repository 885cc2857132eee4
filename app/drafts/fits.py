"""How well the columns of a file fit what an account has: its mapping templates, and the fields of its record types."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.declarations.stored_records import count_stored
from app.declarations.types import build_resources, load_declarations
from app.mappings.suggesting.proposals import ColumnCells, propose_fields
from app.mappings.templates.fits import TemplateFit, rank_templates
from app.resources.schema import Resource
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.counts.records import RecordCount
from app.storage.declared import mappings

MOST_RATED: Final = 200  # columns of a file that are looked at for each type


@dataclass(frozen=True, slots=True)
class TypeFit:
    """A record type: for how many columns of the file one of its fields would be suggested, and what else to know."""

    name: str
    fits: int
    keys: tuple[str, ...]  # of several one is enough
    required: tuple[str, ...]  # besides the key
    generates_key: bool
    records: RecordCount


@dataclass(frozen=True, slots=True)
class Fits:
    """The best first. Templates that fit equally well are in the order of their names; of types those with records come
    first, in their own order."""

    templates: Sequence[TemplateFit]
    types: Sequence[TypeFit]


async def find_fits(runtime: Runtime, account_id: AccountId, header: Sequence[str]) -> Fits:
    """Reads all templates and types of the account, in its turn. Without a header nothing fits better than anything
    else. Raises Refused("too_many_reads")."""
    async with runtime.heavy_reads.turn(account_id):
        async with runtime.database.read() as session:
            rows = await mappings.list_whole(session, account_id)
            declarations = await load_declarations(session, account_id)
            counts = await count_stored(session, account_id)
        return await asyncio.to_thread(rank, header, rows, declarations, counts)


def rank(
    header: Sequence[str],
    rows: Sequence[Mapping[Any, Any]],
    declarations: Mapping[str, str],
    counts: Mapping[str, RecordCount],
) -> Fits:
    """Blocking: up to a second for 200 types and a header of 2,000 columns."""
    types = [rate_type(resource, header, counts) for resource in build_resources(declarations)]
    return Fits(rank_templates(rows, header), sorted(types, key=lambda each: (-each.fits, not each.records.count)))


def rate_type(resource: Resource, header: Sequence[str], counts: Mapping[str, RecordCount]) -> TypeFit:
    columns = [ColumnCells(name, index) for index, name in enumerate(header[:MOST_RATED])]
    found = propose_fields(columns, resource)
    return TypeFit(
        resource.name,
        len(found),
        resource.keys,
        tuple(each.id for each in resource.fields if each.required and each.id not in resource.keys),
        resource.generates_key,
        counts[resource.name],
    )
