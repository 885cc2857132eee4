"""The fix for a heading that is not known and looks like one that is."""

from app.formats.characters import spell_heading


def mean_column(heading: str, field: str) -> dict[str, object]:
    """A fix: import the file again with a mapping by which the column fills the field."""
    return {"action": "importAgain", "columns": [{"column": heading, "field": field}]}


def ask_meaning(heading: str, meant: str, field: str) -> dict[str, object]:
    """`hint` and `fix` of a warning about the heading."""
    return {"hint": f"Did you mean `{spell_heading(meant)}`?", "fix": mean_column(heading, field)}
