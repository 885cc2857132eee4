"""How well the columns of a file fit mapping templates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from app.mappings.headings import reduce_heading


@dataclass(frozen=True, slots=True)
class TemplateFit:
    """A mapping template, and how many of its `columns` that fill a field the file has."""

    id: str
    name: str
    type: str
    fits: int
    columns: int


def rank_templates(rows: Iterable[Mapping[Any, Any]], header: Sequence[str]) -> list[TemplateFit]:
    """The best first; of those that fit equally well those with more columns, and then by name. `rows` have id, name,
    type and the mapping as JSON text. Blocking: some 10 ms for a megabyte."""
    headings = {*map(reduce_heading, header)}
    rated = [rate_template(row, headings, len(header)) for row in rows]
    return sorted(rated, key=lambda each: (-each.fits / max(1, each.columns), -each.columns, each.name))


def rate_template(row: Mapping[Any, Any], headings: set[str], width: int) -> TemplateFit:
    columns = [each for each in msgspec.json.decode(row["mapping"]).get("columns") or () if each.get("field")]
    found = [
        each["position"] < width if each.get("position") is not None else reduce_heading(each["column"]) in headings
        for each in columns
    ]
    return TemplateFit(row["id"], row["name"], row["type"], sum(found), len(columns))
