"""A preview as JSON, with the mapping that it proposes."""

from collections.abc import Collection, Iterable

import msgspec

from app.imports.preview import NO_MAPPING, Preview, PreviewColumn
from app.imports.stored_values import StoredValue
from app.mappings.declaring.declaration import mapping_to_json
from app.mappings.mapping import Mapping


def preview_to_json(preview: Preview, type: str, mapping: Mapping = NO_MAPPING) -> dict[str, object]:
    """The preview as JSON, and in it the mapping that it proposes, as `POST /mappings` takes it. `mapping` is what the
    proposal began with."""
    dialect = preview.dialect
    read = {"delimiter": dialect.delimiter, "encoding": dialect.encoding}
    return {
        "type": type,
        "dialect": {"format": dialect.format, **read, "hasHeader": dialect.has_header},
        "whole": preview.whole,
        "rows": preview.rows,
        "columns": [column_to_json(each) for each in preview.columns],
        "missing": [list(fields) for fields in preview.missing],
        "checked": preview.checked,
        "failed": preview.failed,
        "problems": preview.problems,
        "mapping": {
            "type": type,
            "hasHeader": dialect.has_header,
            "columns": map_columns(preview.columns, named=dialect.has_header),
            **({"constants": mapping_to_json(mapping)["constants"]} if mapping.constants else {}),
            "options": {**mapping.options, **read},
        },
    }


def column_to_json(column: PreviewColumn) -> dict[str, object]:
    told: dict[str, object] = {"column": column.column.heading, "position": column.column.index}
    if column.proposal is not None:
        name = column.proposal.name
        told |= {"field": name.field.id, "reason": name.reason, "why": name.why}
        told |= {"confidence": round(name.confidence, 2)}
    conversions = {"conversions": column.conversions} if column.conversions else {}
    stored = {"stored": [stored_to_json(each) for each in column.stored]} if column.stored else {}
    return {**told, **conversions, "samples": column.samples, **stored}


def stored_to_json(value: StoredValue) -> dict[str, object]:
    if value.wrong:
        return {"code": value.wrong.code, "message": value.wrong.message}
    return {"value": msgspec.Raw(value.json.encode())} if value.json else {}


def map_columns(
    columns: Iterable[PreviewColumn], *, named: bool, left_open: Collection[int] = ()
) -> list[dict[str, object]]:
    """The columns of a mapping: by heading, or by position where that says nothing: there is none, or it was there
    before. Those whose index is `left_open` are left out."""
    mapped, seen = [], {""}
    for column in columns:
        heading, index = column.column.heading, column.column.index
        place: dict[str, object] = {"position": index} if not named or heading in seen else {"column": heading}
        seen.add(heading)
        if column.proposal is not None:
            mapped.append({**place, "field": column.proposal.field.id, **column.conversions})
        elif heading and index not in left_open:
            mapped.append({**place, "ignore": True})
    return mapped
