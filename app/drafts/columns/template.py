"""Looks at the columns of a mapping template as at those of a file that has its headings and no rows."""

import asyncio
import csv
import io
from collections.abc import Iterator, Mapping

import msgspec

from app.declarations.types import load_resource
from app.drafts.columns.choice import ColumnChoice
from app.drafts.columns.review import BegunMapping, ColumnReview, FileToReview, review_beginning
from app.formats.header import name_position
from app.imports.plan import ReadOptions
from app.imports.sources.head import FileHead
from app.mappings.mapping import Mapping as ColumnMapping
from app.mappings.templates.stored import StoredTemplate
from app.resources.schema import Resource
from app.runs.model import AccountId
from app.runtime import Runtime


def list_names(mapping: ColumnMapping) -> list[str]:
    """What the columns are called, in the order of a file: those with a position stand there."""
    return list(_list_names(mapping))


def _list_names(mapping: ColumnMapping) -> Iterator[str]:
    placed = {each.position for each in mapping.columns if each.position is not None}
    named = iter([each.heading for each in mapping.columns if each.position is None])
    for position in range(max(placed, default=-1) + 1):
        yield name_position(position) if position in placed else next(named, name_position(position))
    yield from named


async def review_template(
    runtime: Runtime,
    account_id: AccountId,
    template: StoredTemplate,
    resource: Resource,
    chosen: Mapping[int, ColumnChoice] | None = None,
) -> ColumnReview:
    """`chosen` counts in place of what the template says of these columns."""
    async with runtime.heavy_reads.turn(account_id):
        return await asyncio.to_thread(_review, runtime, template, resource, chosen or {})


async def load_template_type(runtime: Runtime, account_id: AccountId, template: StoredTemplate) -> Resource:
    """Raises Refused("not_found")."""
    async with runtime.database.read() as session:
        return (await load_resource(session, account_id, template.type))[0]


def _review(
    runtime: Runtime, template: StoredTemplate, resource: Resource, chosen: Mapping[int, ColumnChoice]
) -> ColumnReview:
    mapping = template.as_mapping()
    header = io.StringIO()
    csv.writer(header).writerow(list_names(mapping))
    head = FileHead(header.getvalue().encode(), whole=True, encoding="utf-8", file_name=None)
    begun = BegunMapping(mapping, msgspec.json.decode(template.wire), settled=True, base=template)
    file = FileToReview(head, ReadOptions("csv", ","), has_header=True, named=mapping.has_header, guessed=False)
    return review_beginning(runtime, file, resource, begun, chosen)
