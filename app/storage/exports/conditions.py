"""The conditions of an export as SQL. Every name and value is a parameter."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from app.storage.exports.selection import Comparison, Condition, Operator, Selection

Bind = Callable[[object, str], str]

# The value of a member in a form that compares rightly. Numbers are cast only where the
# member is one, whatever else is stored there. Of moments, which are all in UTC, the shorter of two that begin alike is
# the earlier one, once the zeros at the end of a fraction are gone.
MEMBER: Final[Mapping[Comparison, str]] = {
    "text": '({text} COLLATE "C")',
    "number": "(CASE jsonb_typeof({value}) WHEN 'number' THEN CAST({text} AS numeric) END)",
    "moment": "(rtrim(rtrim({text}, 'Z'), '0') COLLATE \"C\")",
    "items": "{value}",
}
CAST_TO: Final[Mapping[Comparison, str]] = {"number": "numeric"}  # others are texts
# What is not there differs from every value, and is neither before nor after any.
COMPARED: Final[Mapping[Operator, str]] = {
    "=": "{member} = {value}",
    "!=": "{member} IS DISTINCT FROM {value}",
    "<": "{member} < {value}",
    "<=": "{member} <= {value}",
    ">": "{member} > {value}",
    ">=": "{member} >= {value}",
}
EMPTY: Final = """coalesce({value}, 'null') IN ('null', '""', '[]', '{{}}')"""


def build_where(bind: Bind, selection: Selection) -> str:
    return " AND ".join(list_conditions(bind, selection))


def list_conditions(bind: Bind, selection: Selection) -> Iterator[str]:
    """The primary key finds account, type and keys. What else there is is looked at record by record: an index on the
    time of change would have to be kept up by every import, and reading a million records takes half a second."""
    wanted = selection.filter
    yield f"account_id = {bind(selection.account_id, 'integer')}"
    yield f"type = {bind(selection.type, 'text')}"
    if wanted.keys is not None:
        yield f"key = ANY({bind(list(wanted.keys), 'text[]')})"
    if wanted.updated_since is not None:
        yield f"updated_at >= {bind(wanted.updated_since, 'timestamptz')}"
    if wanted.created_since is not None:
        yield f"created_at >= {bind(wanted.created_since, 'timestamptz')}"
    if wanted.import_id is not None:
        yield f"run_id = {bind(wanted.import_id, 'text')}"
    for condition in wanted.conditions:
        yield f"({build_condition(bind, condition)})"


def build_condition(bind: Bind, condition: Condition) -> str:
    name = bind(condition.member, "text")
    value = "to_jsonb(key)" if condition.is_key else f"(data -> {name})"
    text = "key" if condition.is_key else f"(data ->> {name})"
    if condition.operator == "isEmpty":
        empty = EMPTY.format(value=value)
        return empty if condition.values == ("true",) else f"NOT {empty}"
    if condition.comparison == "items":
        found = f"coalesce({value} ?| {bind(list(condition.values), 'text[]')}, false)"
        return f"NOT {found}" if condition.operator == "!=" else found
    member = MEMBER[condition.comparison].format(value=value, text=text)
    cast, values = CAST_TO.get(condition.comparison, "text"), spell_values(condition)
    if condition.operator == "in":
        return f"{member} = ANY(CAST({bind(values, 'text[]')} AS {cast}[]))"
    return COMPARED[condition.operator].format(member=member, value=f"CAST({bind(values[0], 'text')} AS {cast})")


def spell_values(condition: Condition) -> list[str]:
    """The values as MEMBER spells those of the records."""
    if condition.comparison == "moment":
        return [each.rstrip("Z").rstrip("0") for each in condition.values]
    return list(condition.values)
