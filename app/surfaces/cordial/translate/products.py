"""Turns records into Cordial's products, and the problems of one into its words."""

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, localcontext
from hashlib import blake2b
from typing import Any, Final

import msgspec

from app.errors import Complaint, Refused, describe
from app.problems import Problem
from app.resources.catalog import RESOURCE
from app.resources.paths import nest, read_members
from app.surfaces.cordial.translate.times import format_time

TYPE: Final = RESOURCE.name
ID_BYTES: Final = 12
NUMBER_STARTS: Final = frozenset({b"-", *(b"%d" % digit for digit in range(10))})
EXACT: Final = Context(prec=4_100)  # a number has at most 1,000 digits and an exponent of at most 1,000
MEMBERS: Final = tuple(dict.fromkeys(each.id.partition(".")[0] for each in RESOURCE.fields)) + tuple(
    dict.fromkeys(each.path.partition(".")[0] for each in RESOURCE.families)
)


def render_products(account_id: int, rows: Sequence[Mapping[Any, Any]], fields: str | None) -> bytes:
    """Products as members of a JSON array, without its brackets. Blocking."""
    return b",".join(render_product(account_id, row, fields) for row in rows)


def render_product(account_id: int, row: Mapping[Any, Any], fields: str | None) -> bytes:
    """Blocking: it takes as long as the record is large."""
    return msgspec.json.encode(select_fields(product_from_record(account_id, row), fields))


def product_from_record(account_id: int, row: Mapping[Any, Any]) -> dict[str, object]:
    """The shape of wire.Product. Values stay the JSON text that is stored: no number becomes a float."""
    fields = {name: value for name, value in read_members(row["data"]).items() if name.partition(".")[0] in MEMBERS}
    members = nest(fields, RESOURCE.lists)
    key = blake2b(f"{account_id}:{TYPE}:{row['key']}".encode(), digest_size=ID_BYTES).hexdigest()
    return {
        "_id": key,
        **{name: members[name] for name in MEMBERS if name in members},
        "totalQty": msgspec.Raw(str(sum_quantities(fields)).encode()),
        "ct": format_time(row["created_at"]),
        "lm": format_time(row["updated_at"]),
    }


def sum_quantities(fields: Mapping[str, msgspec.Raw]) -> Decimal:
    """The total over all variants; whatever is no number counts as 0."""
    values = (value for name, value in fields.items() if name.startswith("variants.") and name.endswith(".qty"))
    numbers = (text for text in map(bytes, values) if text[:1] in NUMBER_STARTS)
    with localcontext(EXACT):
        return sum((Decimal(number.decode()) for number in numbers), Decimal(0))


def select_fields(product: dict[str, object], fields: str | None) -> dict[str, object]:
    """Only the requested members. `fields` names them, or paths below them, separated by commas."""
    if fields is None:
        return product
    names = {each.strip().partition(".")[0] for each in fields.split(",")} | {"_id"}
    return {name: value for name, value in product.items() if name in names}


def problems_to_refusal(problems: Sequence[Problem]) -> Refused:
    complaints = [Complaint(problem.column or RESOURCE.keys[0], describe_problem(problem)) for problem in problems]
    return Refused("invalid", describe(complaints), complaints)


def describe_problem(problem: Problem) -> str:
    """In Cordial's words where it has any, else in ours. Only a problem with a column is a problem of that field."""
    name = problem.column or RESOURCE.keys[0]
    words = {
        "required": f"The {name} field is required.",
        "missing_key": f"The {name} field is required.",
        "unknown_column": f"key {name} is not part of the schema for this resource",
    }
    ours = f"The {name} field is not valid. {problem.message}" if problem.column else f"{problem.message}."
    return words.get(problem.code, ours)
