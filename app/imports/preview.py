"""Reads the beginning of a file as an import would, and proposes how to map it, with the problems that are left."""

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final

from app.formats import open_reader
from app.formats.records import Batch, Dialect, Limits, Reader
from app.formats.sniff import detect_dialect
from app.imports.checking.record_keys import IdScope
from app.imports.checking.row_checker import RowChecker
from app.imports.examine import refuse_foreign
from app.imports.plan import Options, Plan, ReadOptions
from app.imports.sources.head import FileHead
from app.mappings.columns import Column, find_missing, list_fields
from app.mappings.mapping import Mapping
from app.mappings.suggesting.proposals import ColumnCells, Proposal, propose_fields
from app.problems import Problem, shorten
from app.resources.schema import Resource
from app.runs.summary import add_problems

MOST_ROWS: Final = 1_000  # are read and checked
SAMPLES: Final = 3  # values of each column
ANYBODY: Final = IdScope(0, seed="0" * 24)
KEY_CHARACTERS: Final = 255  # as long as SLUICE_MAX_KEY_CHARACTERS is not set


@dataclass(frozen=True, slots=True)
class PreviewColumn:
    """A column of the file, what it probably means, and its first values that differ."""

    column: ColumnCells
    proposal: Proposal | None

    @property
    def samples(self) -> list[str]:
        return [shorten(value) for value in dict.fromkeys(self.column.values)][:SAMPLES]


@dataclass(frozen=True, slots=True)
class Preview:
    """What the beginning of a file shows. `missing` are the required fields that no column fills; of several in a tuple
    one would do. `rows` were read, and unless there is no key `checked`. `problems` are groups as an import has
    them."""

    dialect: Dialect
    whole: bool  # whether that is the whole file
    columns: list[PreviewColumn]
    missing: list[tuple[str, ...]]
    rows: int
    checked: bool
    failed: int
    problems: list[dict[str, Any]]


def preview_file(
    head: FileHead, resource: Resource, read: ReadOptions, *, limits: Limits, key_limit: int = KEY_CHARACTERS
) -> Preview:
    """Reads and checks at most MOST_ROWS rows. Blocking: up to a second for a file of 2,000 columns.

    Raises Refused: empty_file, unreadable_file, invalid (header, options).
    """
    dialect = detect_dialect(head.data, declared_format=read.format, file_name=head.file_name, delimiter=read.delimiter)
    dialect = replace(dialect, encoding=head.encoding)
    refuse_foreign(head.data, dialect, read)
    reader = open_reader(io.BytesIO(head.data), dialect, limits)
    batch = reader.read(reader.first, max_rows=MOST_ROWS, max_bytes=len(head.data))
    cells = list_cells(reader, batch)
    proposals = propose_fields(cells, resource)
    if dialect.format != "csv":  # a member has the name of its field, or none
        proposals = {index: each for index, each in proposals.items() if each.name.reason == "exact"}
    columns = tuple(Column(each.column.heading, each.field.id, index) for index, each in sorted(proposals.items()))
    missing = list(find_missing(columns, resource, Mapping(), key_required=not resource.generates_key))
    problems: list[Problem] = []
    if checked := resource.keys not in missing:
        plan = Plan(dialect, reader.header, columns if reader.header else list_fields(resource, Mapping()))
        problems = check_rows(plan, resource, batch, limits, key_limit)
    return Preview(
        dialect,
        head.whole,
        [PreviewColumn(column, proposals.get(column.index)) for column in cells],
        missing,
        rows=batch.end.row,
        checked=checked,
        failed=len({problem.row for problem in problems}),
        problems=sum_up(problems),
    )


def list_cells(reader: Reader, batch: Batch) -> list[ColumnCells]:
    """The columns of a delimited file; of JSON Lines the members that the first rows have."""
    if reader.header:
        columns = zip(*batch.records, strict=True) if batch.records else [()] * len(reader.header)
        return [
            ColumnCells(heading, index, cells)
            for index, (heading, cells) in enumerate(zip(reader.header, columns, strict=True))
        ]
    records = [record for record in batch.records if isinstance(record, dict)]
    members = dict.fromkeys(member for record in records for member in record)
    return [
        ColumnCells(member, index, [show_member(record.get(member)) for record in records])
        for index, member in enumerate(members)
    ]


def show_member(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def check_rows(plan: Plan, resource: Resource, batch: Batch, limits: Limits, key_limit: int) -> list[Problem]:
    """What an import would find wrong with these rows, if no record existed but those that they name by an id which
    this service makes."""
    checker = RowChecker(
        resource, plan, Options(), id_scope=ANYBODY, key_limit=key_limit, record_limit=limits.record_bytes
    )
    checked = checker.check_batch(batch)
    incomplete = [problems for index, problems in checked.incomplete.items() if index not in checked.must_exist]
    return sorted([*checked.problems, *chain.from_iterable(incomplete)], key=lambda problem: problem.row)


def sum_up(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    summary: list[dict[str, Any]] = []
    add_problems(summary, problems)
    return summary


def preview_to_json(preview: Preview, type: str) -> dict[str, object]:
    """The preview as JSON, and in it the mapping that it proposes, as `POST /mappings` takes it."""
    dialect = preview.dialect
    read = {"delimiter": dialect.delimiter, "encoding": dialect.encoding}
    return {
        "type": type,
        "dialect": {"format": dialect.format, **read},
        "whole": preview.whole,
        "rows": preview.rows,
        "columns": [column_to_json(each) for each in preview.columns],
        "missing": [list(fields) for fields in preview.missing],
        "checked": preview.checked,
        "failed": preview.failed,
        "problems": preview.problems,
        "mapping": {
            "type": type,
            "columns": [map_column(each) for each in preview.columns if each.column.heading],
            "options": read,
        },
    }


def column_to_json(column: PreviewColumn) -> dict[str, object]:
    told: dict[str, object] = {"column": column.column.heading, "position": column.column.index}
    if column.proposal is not None:
        name = column.proposal.name
        told |= {"field": name.field.id, "reason": name.reason, "why": name.why}
        told |= {"confidence": round(name.confidence, 2)}
    return {**told, "samples": column.samples}


def map_column(column: PreviewColumn) -> dict[str, object]:
    heading = {"column": column.column.heading}
    return heading | ({"ignore": True} if column.proposal is None else {"field": column.proposal.field.id})
