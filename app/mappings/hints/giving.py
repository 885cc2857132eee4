"""Gives the groups of a summary their hints, and tells the same cause in several columns once."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.errors import join_choices
from app.formats.characters import spell_heading
from app.formats.records import Dialect
from app.mappings.hints.hint import Cure, Evidence, Hint
from app.mappings.hints.table import HINTS
from app.mappings.mapping import Conversions
from app.resources.schema import Resource
from app.runs.summary import SummaryGroup


class HintGiver:
    """Knows how the file of a run is read. It looks at a summary again only when one of its groups has seen another
    value."""

    def __init__(
        self, resource: Resource, conversions: Mapping[str, Conversions], dialect: Dialect, *, columns: int
    ) -> None:
        """`conversions`: of columns by their headings. `columns`: that the header has."""
        self._fields = {field.id: field for field in resource.fields}
        self._conversions = conversions
        self._width, self._dialect = columns, dialect
        self._looked_at = 0

    def give(self, summary: Sequence[SummaryGroup]) -> None:
        """Sets `hint` and `fix` of each group that has one, and takes them from the others."""
        seen = sum(len(group.get("seen", ())) for group in summary)
        if seen == self._looked_at:
            return
        self._looked_at = seen
        told: dict[str, tuple[Hint, Cure, list[SummaryGroup]]] = {}
        for group in summary:
            group.pop("hint", None)
            group.pop("fix", None)
            for name, hint, cure in self._find(group):
                cause = json.dumps([name, cure.changes, dict(cure.options)])
                told.setdefault(cause, (hint, cure, []))[2].append(group)
        for hint, cure, groups in told.values():
            groups[0] |= describe(
                hint, cure, {str(each["column"]): str(each["field"]) for each in groups if each["column"]}
            )

    def _find(self, group: SummaryGroup) -> Iterable[tuple[str, Hint, Cure]]:
        """The first hint whose cure every value bears out; none if they were too long to be kept whole."""
        column, field = group["column"], self._fields.get(group["field"] or "")
        seen, conversions = group.get("seen"), self._conversions.get(column or "", {})
        if not seen:
            return
        delimiter, encoding = self._dialect.delimiter, self._dialect.encoding
        evidence = Evidence(seen, field, conversions, columns=self._width, delimiter=delimiter, encoding=encoding)
        for name, hint in HINTS.items():
            fits = field.type in hint.types if field is not None and column else not hint.types and not column
            cure = hint.find(evidence) if fits and group["code"] in hint.codes else None
            if cure is not None:
                yield name, hint, cure
                return


def describe(hint: Hint, cure: Cure, columns: Mapping[str, str]) -> dict[str, Any]:
    """The members of a group that has the hint; `columns` are all that have the same cause, with their fields, which a
    mapping has to name."""
    names = join_choices([f"`{spell_heading(column)}`" for column in columns], word="and") if columns else ""
    told: dict[str, Any] = {"hint": hint.sentence.format(columns=names, **cure.told)}
    if hint.action is None:
        return told
    correct = hint.action == "correct"
    named_columns = [{"column": column} | ({} if correct else {"field": field}) for column, field in columns.items()]
    changes = [{**column, **change} for column in named_columns for change in cure.changes]
    what = {"options": dict(cure.options)} if cure.options else {}
    named = {"corrections" if correct else "columns": changes} if changes else {}
    return told | {"fix": {"action": hint.action, **named, **what}}
