"""Compares the header of a file with the one of an earlier file that was read by the same mapping."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.errors import Complaint, Refused
from app.formats.detection.report_header import find_report
from app.formats.header import name_position
from app.mappings.columns import join_names
from app.mappings.headings import ColumnFinder, reduce_heading
from app.mappings.mapping import Mapping
from app.resources.schema import Resource


@dataclass(frozen=True, slots=True)
class SeenColumns:
    """The header of the earlier file, and by field the index of the column that filled it."""

    header: tuple[str, ...]
    filled: dict[str, int]


def refuse_other_columns(header: Sequence[str], seen: SeenColumns, mapping: Mapping, resource: Resource) -> None:
    """Refuses a header that lacks a column which filled a field, or has a column that neither the mapping nor the
    earlier file knows. What fills a field by the mapping may come in addition, and the order does not matter. The
    columns of a report are passed over. Raises Refused("invalid")."""
    missing, new = [*find_missing(header, seen, mapping, resource)], [*find_new(header, seen, mapping, resource)]
    if not missing and not new:
        return
    lacks = f"lacks {join_names(missing)}, which the earlier file had" if missing else ""
    has = f"has {join_names(new)}, which the earlier file did not have" if new else ""
    reason = f"The file {', and '.join(filter(None, (lacks, has)))}. Restore its columns, or start a new import"
    raise Refused("invalid", reason, [Complaint("file", reason)])


def find_missing(header: Sequence[str], seen: SeenColumns, mapping: Mapping, resource: Resource) -> Iterator[str]:
    finder, headings = ColumnFinder(mapping, resource), {*map(reduce_heading, header)}
    found = [finder.find(heading, index) for index, heading in enumerate(header)]
    filled = {each.field.id for each in found if each and each.field}
    for field, index in seen.filled.items():
        if field not in filled and reduce_heading(seen.header[index]) not in headings:
            yield seen.header[index] or name_position(index)


def find_new(header: Sequence[str], seen: SeenColumns, mapping: Mapping, resource: Resource) -> Iterator[str]:
    finder, headings = ColumnFinder(mapping, resource), {*map(reduce_heading, seen.header)}
    report = find_report(header)
    for index, heading in enumerate(header):
        known = not heading or index in report or reduce_heading(heading) in headings
        if not known and finder.find(heading, index) is None:
            yield heading
