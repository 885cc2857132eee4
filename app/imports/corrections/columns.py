"""Prepares what corrections do to the cells of each column, and the mapping by which the corrected rows are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from app.errors import Complaint
from app.formats.characters import spell_heading
from app.imports.corrections.correction import Correction, refuse
from app.imports.plan import Plan
from app.mappings.columns import Column
from app.mappings.conversions import CONVERSIONS, ConvertColumn, compile_conversions, find_misfit
from app.mappings.mapping import Conversions, MappedColumn
from app.mappings.mapping import Mapping as ColumnMapping
from app.mappings.nearest import NearestName
from app.problems import VALUE_CHARACTERS, Problem, shorten
from app.resources.conversion import quote_json
from app.resources.schema import Field, Resource


@dataclass(slots=True)
class CorrectedColumn:
    """What becomes of the cells of one column. `index` is its place in the row, or the name of the member in a JSON
    object. `convert` reads all its texts. `cells` are single ones by row, `values` by code (None: any) and bad value,
    which is known as far as a report has it. `codes` are those of rows for which the whole column is corrected."""

    index: int | str
    convert: ConvertColumn | None = None
    separator: str = ""
    ignored: bool = False
    cells: dict[int, str] = field(default_factory=dict)
    values: dict[tuple[str | None, str], str] = field(default_factory=dict)
    codes: set[str | None] = field(default_factory=set)

    def add(self, correction: Correction) -> None:
        if correction.row is not None:
            self.cells[correction.row] = correction.to or ""
        elif correction.value is not None:
            self.values[correction.code, shorten(correction.value)] = correction.to or ""
        else:
            self.codes.add(correction.code)
            self.ignored |= correction.ignore

    def concerns(self, problem: Problem) -> bool:
        """Whether the row is imported again for this, which is wrong with the column."""
        known = None in self.codes or problem.code in self.codes or problem.row in self.cells
        return known or self.find_value(problem) is not None

    def find_value(self, problem: Problem) -> str | None:
        value = problem.value or ""
        return self.values.get((problem.code, value), self.values.get((None, value)))

    def correct(self, cell: object, row: int, problems: Sequence[Problem]) -> object:
        """The cell of a row in which `problems` are wrong with this column. What cannot be read stays as it is."""
        if row in self.cells:
            return self.cells[row]
        known = next((to for each in problems if (to := self.find_value(each)) is not None), None)
        if known is not None or (self.convert is None and not self.separator):
            return cell if known is None else known
        seen = next((each.value for each in problems if each.value), None)  # without what nobody sees
        text = seen if seen is not None and isinstance(cell, str) and len(seen) < VALUE_CHARACTERS else cell
        read = self.convert([text])[0] if self.convert is not None and isinstance(text, str) else text
        if not isinstance(read, str):
            return cell
        return write_list(read, self.separator) if self.separator else read


def write_list(text: str, separator: str) -> str:
    """The items as a JSON list, which a field reads whatever its own separator is."""
    items = filter(None, map(str.strip, text.split(separator)))
    return f"[{','.join(map(quote_json, items))}]" if separator in text else text


def build_columns(plan: Plan, resource: Resource, corrections: Sequence[Correction]) -> dict[str, CorrectedColumn]:
    """By heading. Raises one Refused("invalid") that names every column that there is not, and every conversion that
    does not fit its field."""
    by_heading = {column.heading: column for column in reversed(plan.columns)}
    nearest, complaints = NearestName(by_heading), list[Complaint]()
    found: dict[str, CorrectedColumn] = {}
    asked: dict[str, Conversions] = {}
    for number, each in enumerate(corrections):
        column, path = by_heading.get(each.column), f"corrections[{number}]"
        if column is None:
            complaints.append(describe_lack(each.column, path, nearest))
            continue
        complaints += check_conversions(each, find_declared(column, resource), path)
        index = column.heading if plan.dialect.format == "jsonl" else column.index
        found.setdefault(each.column, CorrectedColumn(index)).add(each)
        merged = {**asked.get(each.column, column.conversions), **each.conversions}
        asked[each.column] = {name: value for name, value in merged.items() if name not in each.unset}
    refuse(complaints)
    for heading, corrected in found.items():
        corrected.convert = compile_conversions(asked[heading], find_declared(by_heading[heading], resource))
        corrected.separator = asked[heading].get("separator", "")
    return found


def find_declared(column: Column, resource: Resource) -> Field:
    return (resource.field(column.field) if column.known else None) or Field(column.field, "text")


def describe_lack(heading: str, path: str, nearest: NearestName) -> Complaint:
    meant = nearest.find(heading)
    lack = f"No column `{spell_heading(heading)}` of the file fills a field"
    return Complaint(f"{path}.column", f"{lack}. Did you mean `{spell_heading(meant)}`?" if meant else lack)


def check_conversions(correction: Correction, field: Field, path: str) -> Iterator[Complaint]:
    for name, value in correction.conversions.items():
        misfit = find_misfit(name, value, field)
        if misfit:
            yield Complaint(f"{path}.{name}", f"`{name}` of column `{spell_heading(correction.column)}` {misfit}")


def leave_out(mapping: ColumnMapping, plan: Plan, corrections: Sequence[Correction]) -> ColumnMapping:
    """The mapping for rows whose texts are converted already, and without the ignored columns."""
    touched = {each.column for each in corrections}
    ignored = {each.column for each in corrections if each.ignore}
    fields = {column.field: column.heading for column in plan.columns}

    def adapt(column: MappedColumn) -> MappedColumn:
        heading = fields.get(column.field, "")
        if heading in ignored:
            return replace(column, field="", conversions={})
        return replace(column, conversions=keep_options(column.conversions)) if heading in touched else column

    return replace(mapping, columns=tuple(map(adapt, mapping.columns)))


def keep_options(conversions: Conversions) -> Conversions:
    """Those that say what an import does with a cell, and change no text."""
    return {
        name: value for name, value in conversions.items() if CONVERSIONS[name].compile is None and name != "separator"
    }
