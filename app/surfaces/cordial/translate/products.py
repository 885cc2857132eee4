"""Records into Cordial's products, and what is wrong with one into its words."""

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, localcontext
from hashlib import blake2b
from typing import Any, Final

import msgspec

from app.errors import Complaint, Refused, describe
from app.problems import Problem
from app.resources.catalog import RESOURCE
from app.resources.paths import nest
from app.surfaces.cordial.translate.moments import shown

TYPE: Final = RESOURCE.name
ID_BYTES: Final = 12
EXACT: Final = Context(prec=4_100)  # a number has at most 1,000 digits and an exponent of at most 1,000
MEMBERS: Final = tuple(dict.fromkeys(each.id.partition(".")[0] for each in RESOURCE.fields)) + tuple(
    dict.fromkeys(each.path.partition(".")[0] for each in RESOURCE.families)
)


def product(account_id: int, row: Mapping[Any, Any]) -> dict[str, object]:
    """As wire.Product. Every value stays the text that it is stored as: no number goes through a float."""
    flat = msgspec.json.decode(row["data"], type=dict[str, msgspec.Raw])
    members = nest(flat, RESOURCE.lists)
    key = blake2b(f"{account_id}:{TYPE}:{row['key']}".encode(), digest_size=ID_BYTES).hexdigest()
    return {
        "_id": key,
        **{name: members[name] for name in MEMBERS if name in members},
        "totalQty": msgspec.Raw(str(total(flat)).encode()),
        "ct": shown(row["created_at"]),
        "lm": shown(row["updated_at"]),
    }


def total(flat: Mapping[str, msgspec.Raw]) -> Decimal:
    """Of all variants."""
    given = (bytes(value) for name, value in flat.items() if name.startswith("variants.") and name.endswith(".qty"))
    with localcontext(EXACT):
        return sum((Decimal(each.decode()) for each in given if each[:1] not in (b"n", b'"')), Decimal(0))


def chosen(found: dict[str, object], fields: str | None) -> dict[str, object]:
    """Only the members that were asked for: names, or paths that begin with them."""
    if fields is None:
        return found
    names = {each.strip().partition(".")[0] for each in fields.split(",")} | {"_id"}
    return {name: value for name, value in found.items() if name in names}


def refused(problems: Sequence[Problem]) -> Refused:
    complaints = [Complaint(problem.column or RESOURCE.keys[0], reason(problem)) for problem in problems]
    return Refused("invalid", describe(complaints), complaints)


def reason(problem: Problem) -> str:
    """In the vendor's words where it has any."""
    named = problem.column or RESOURCE.keys[0]
    words = {
        "required": f"The {named} field is required.",
        "missing_key": f"The {named} field is required.",
        "unknown_column": f"key {named} is not part of the schema for this resource",
    }
    return words.get(problem.code, problem.message)
