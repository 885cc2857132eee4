"""Writes the reference page of mappings: what a column may say, and the patterns of dates."""

from app.mappings.conversions import CONVERSIONS
from app.mappings.declaring.declaration import MOST_BYTES, MOST_COLUMNS
from app.mappings.declaring.options import OPTIONS
from app.mappings.notations.date_formats import LONGEST_PATTERN, TOKENS
from docs.generate.markdown import code, page, sentence, table


def mappings() -> str:
    intro = f"""
What a mapping may say. [Mapping templates](../guides/mapping-templates.md) shows how it is used. A mapping has at most {MOST_COLUMNS:,}
columns and {MOST_BYTES:,} bytes as JSON. A member that is not listed here is refused, and so are two columns on one field.
"""
    return page("Mappings", intro, members(), conversions(), dates())


def members() -> str:
    rows = [
        ("columns", "The columns, each with `column` or `position`, and `field` or `ignore`"),
        ("columns[].column", "The heading; for JSON Lines the name of a member, or its path"),
        ("columns[].position", "The place of the column in the file; the first is 0. It needs no heading"),
        ("columns[].field", "The id of the field that the column fills"),
        ("columns[].ignore", "`true` leaves the column out without a warning"),
        ("hasHeader", "`false`: the first row is data, and all columns have a `position`"),
        ("constants", "Values that every record gets, by field. The field must have no column"),
        ("options", f"For requests that do not set them: {', '.join(map(code, OPTIONS))}"),
        ("type, name", "The record type, which must be that of the request, and a name for people"),
    ]
    return "## Members\n\n" + table(("Member", "Meaning"), ((code(name), sentence(words)) for name, words in rows))


def conversions() -> str:
    rows = (
        (code(name), sentence(each.description), ", ".join(map(code, sorted(each.types or ()))) or "all")
        for name, each in CONVERSIONS.items()
    )
    text = (
        "They are members of a column, and are applied in this order, before the field reads the cell. A cell that cannot be "
        "converted fails its row with `type_error`. What comes from `values` is not converted any further. In JSON Lines only "
        "texts are converted."
    )
    return f"## Conversions\n\n{text}\n\n" + table(("Member", "What it does", "Field types"), rows)


def dates() -> str:
    rows = (
        (code(name), sentence(token.description[0].upper() + token.description[1:])) for name, token in TOKENS.items()
    )
    text = (
        f"A pattern of `dateFormat` has at most {LONGEST_PATTERN} characters: these parts, each once, and characters that stand for "
        "themselves: whatever is no letter, and `T` and `Z`. Year, month and day are required. A part of one digit or two is "
        "followed by a separator. Cells are read strictly: by `DD.MM.YYYY`, `1.1.2026` and `2026-01-01` fail their rows. Times "
        "are in UTC."
    )
    return f"## Dates\n\n{text}\n\n" + table(("Part", "Meaning"), rows)
