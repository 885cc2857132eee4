"""Splits nested JSON objects into columns by path, and converts the members that have no planned column."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from app.formats.detection.report_header import name_result_members
from app.formats.records import Batch, UnreadableRow
from app.imports.checking.cells import ALL_TEXT, Cells, clean_cells, is_blank_text
from app.imports.checking.column_converter import ColumnConverter, build_converter
from app.imports.checking.columns import SplitBatch
from app.imports.checking.findings import Findings
from app.imports.checking.json_objects import MemberColumn
from app.imports.checking.list_positions import Gap, PathGaps
from app.imports.checking.path_columns import PathCells, PathColumns, build_path_columns, find_unfit_rows
from app.imports.checking.unknown_members import UnknownMembers
from app.imports.plan import Options
from app.mappings.columns import Column
from app.problems import RowError
from app.resources.conversion import type_error
from app.resources.field_types import BadCell
from app.resources.paths import flatten
from app.resources.schema import Resource

NOT_NESTED = type_error("The value must be an object or a list")
EMPTY = (dict, list)  # a value of these types is empty: whatever an object or a list holds has a path of its own
# Such a value is no value at a path that may have members (`variants.0`), and a bad one at any other (`tags.0`).
CONVERTERS = 4_096  # compiled at a time; a hostile file may name other paths in every row


@dataclass(slots=True)
class OtherMembers:
    """Members without a planned column: whole columns, then one text of whole members per row. `bad_rows` are the rows
    that have to be looked at one by one, because something in them is bad or unknown."""

    columns: list[MemberColumn]
    texts: list[str]
    bad_rows: set[int]


class NestedColumns:
    """JSON objects of a type with families of nested fields (`variants.#.sku`)."""

    def __init__(
        self,
        resource: Resource,
        columns: Sequence[Column],
        options: Options,
        *,
        known: Collection[str],
        unknown_members: UnknownMembers,
        mapped: bool = False,
    ) -> None:
        """`mapped`: a mapping names all members that have a field, and any other is unknown."""
        self._resource = resource
        self._paths = [column.heading for column in columns]
        self._options = options
        self._known = known
        self._unknown_members = unknown_members
        self._mapped = mapped
        self._converter_of = lru_cache(CONVERTERS)(self._build_converter)
        self._is_outer = (lambda _path: None) if mapped else resource.outer.fullmatch
        self._gaps = PathGaps(resource.lists)

    def split(self, batch: Batch) -> SplitBatch:
        records = mappings_of(batch)
        paths = build_path_columns(records)
        unfit = find_unfit_rows(paths, records)
        if unfit:
            batch = without_rows(batch, unfit)
            paths = build_path_columns(mappings_of(batch))
        return SplitBatch(batch, [paths.column(path) for path in self._paths], paths)

    def find_gaps(self, split: SplitBatch) -> Iterable[Gap]:
        return self._gaps.find(split.paths) if split.paths else ()

    def other_members(self, split: SplitBatch, findings: Findings) -> list[MemberColumn]:
        """Path by path, and then the bad rows one by one."""
        if split.paths is None:
            return []
        others = self._convert_paths(split.paths, findings)
        for index in sorted(others.bad_rows):
            others.texts[index] += self._review_row(split.batch.records[index], index, findings)
        return [*others.columns, MemberColumn(None, others.texts)]

    def _convert_paths(self, paths: PathColumns, findings: Findings) -> OtherMembers:
        others, skipped = OtherMembers([], [""] * paths.count, set()), name_result_members(paths.parts)
        for path, parts in paths.parts.items():
            if path in self._known:
                continue
            converter = self._converter_of(path)
            if converter is not None:
                for rows, values, types in parts:
                    cells, cleanings = clean_cells(Cells(values, types), converter.clean, formulas=False)
                    findings.warn_cleaned(path, [each.at(rows) for each in cleanings])
                    convert_part(others, converter, PathCells(rows, *cells), outer=bool(self._is_outer(path)))
                continue
            if path in skipped:
                continue
            outer = self._is_outer(path)
            for rows, values, _ in parts:
                others.bad_rows.update(
                    row for row, value in zip(rows, values, strict=True) if not (outer and isinstance(value, EMPTY))
                )
        return others

    def _review_row(self, record: object, index: int, findings: Findings) -> str:
        """Notes a problem for each bad member of one row. Returns what is stored of its unknown members; the good ones
        are converted already."""
        flat = flatten(record) if isinstance(record, dict) else {}
        if isinstance(flat, tuple):
            return ""
        unknown, skipped = [], name_result_members(flat)
        for path, value in flat.items():
            if path in self._known:
                continue
            converter, outer = self._converter_of(path), bool(self._is_outer(path))
            no_value = outer and isinstance(value, EMPTY)
            if converter is not None and not no_value:
                cleaned = converter.clean(value) if isinstance(value, str) else value
                converter.write(converter.convert(cleaned), index, value, findings)
            elif converter is None and not outer:
                unknown += [] if path in skipped else [path]
            elif converter is None and not no_value:
                findings.add(index, NOT_NESTED, column=path, field=path, value=value)
        return self._unknown_members.write(flat, unknown, index, findings)

    def _build_converter(self, path: str) -> ColumnConverter | None:
        known = not self._mapped and self._resource.field(path) is not None
        return build_converter(self._resource, Column(path, path, 0), self._options) if known else None


def convert_part(others: OtherMembers, converter: ColumnConverter, part: PathCells, *, outer: bool) -> None:
    """The values at one path as a column, if every row has a good one, else row by row. `outer`: the path may have
    members."""
    rows, values, types = part
    cells, everywhere = Cells(values, types), len(rows) == len(others.texts)
    clean = converter.convert_clean(cells) if everywhere else None
    if clean is not None:
        others.columns.append(clean)
        return
    converted = converter.convert_all(cells)
    if everywhere and set(map(type, converted)) == ALL_TEXT and "" not in converted and types.isdisjoint(EMPTY):
        others.columns.append(MemberColumn(converter.field.id, converted))  # type: ignore[arg-type]
        return
    for row, value, text in zip(rows, values, converted, strict=True):
        if outer and isinstance(value, EMPTY):
            continue
        if isinstance(text, BadCell) and not is_blank_text(value):
            others.bad_rows.add(row)
        elif isinstance(text, str):
            others.texts[row] += text and converter.prefix + text
        else:
            others.texts[row] += converter.blank


def mappings_of(batch: Batch) -> list[Mapping[str, object]]:
    return [record for record in batch.records if isinstance(record, dict)]


def without_rows(batch: Batch, unfit: Mapping[int, RowError]) -> Batch:
    """The batch with the unfit rows, by index, among the unreadable ones."""
    good = [index for index in range(len(batch.records)) if index not in unfit]
    unreadable = [
        UnreadableRow(batch.rows[index], batch.lines[index], code, message, cells=(), raw="")
        for index, (code, message) in unfit.items()
    ]
    return replace(
        batch,
        records=[batch.records[index] for index in good],
        rows=[batch.rows[index] for index in good],
        lines=[batch.lines[index] for index in good],
        unreadable=[*batch.unreadable, *unreadable],
    )
