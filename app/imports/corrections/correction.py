"""What is corrected: a value of a column, a single cell, how a whole column is written, or that it is left out."""

from dataclasses import dataclass, field
from typing import Any, Final

from app.errors import Complaint, Refused, describe, join_choices
from app.mappings.conversions import LONGEST_TEXT
from app.mappings.declaring.declaration import LONGEST_HEADING, Complaints, check_text, read_conversions
from app.mappings.mapping import Conversions
from app.runs.acceptance import NOT_A_NAME, find_name_mistake

MOST_CORRECTIONS: Final = 5_000
NAMED_MISTAKES: Final = 100
# Those that change text. The others say what an import does with a cell, and that stays as it was.
TEXT_CONVERSIONS: Final = ("trim", "case", "default", "decimalComma", "dateFormat", "separator")
MEMBERS: Final = ("column", "code", "row", "from", "to", "ignore", *TEXT_CONVERSIONS)
LARGEST_ROW: Final = 2_147_483_647


@dataclass(frozen=True, slots=True)
class Correction:
    """One of: the bad value `value` becomes `to` ("" is a blank cell); in the row `row` the cell becomes `to`; the
    column is ignored; or its texts are read by `conversions`. With a `code` it is about the rows that fail for that."""

    column: str
    code: str | None = None
    row: int | None = None
    value: str | None = None
    to: str | None = None
    ignore: bool = False
    conversions: Conversions = field(default_factory=dict)
    unset: tuple[str, ...] = ()  # conversions of the import's mapping that do not apply


@dataclass(frozen=True, slots=True)
class WantedCorrections:
    """What a request asks for: the corrections, and what the new import is called."""

    corrections: list[Correction]
    name: str | None = None


def parse_corrections(body: dict[str, Any]) -> WantedCorrections:
    """Raises one Refused("invalid") that names every mistake."""
    complaints, given = Complaints(""), body.get("corrections")
    for member in body.keys() - {"corrections", "name"}:
        complaints.add(member[:50], "is not a member of this request. Use corrections or name")
    name = body.get("name")
    mistake = None if name is None else find_name_mistake(name) if isinstance(name, str) else NOT_A_NAME
    if mistake:
        complaints.append(Complaint("name", mistake))
    if not isinstance(given, list) or not 0 < len(given) <= MOST_CORRECTIONS:
        complaints.add("corrections", f"must be a list of 1 to {MOST_CORRECTIONS:,} corrections")
        given = []
    corrections = [parse_correction(each, f"corrections[{index}]", complaints) for index, each in enumerate(given)]
    refuse(complaints)
    return WantedCorrections(corrections, name)


def parse_correction(body: object, path: str, complaints: Complaints) -> Correction:
    if not isinstance(body, dict):
        complaints.add(path, "must be an object with `column`")
        return Correction("")
    for name in body:
        if name not in MEMBERS:
            complaints.add(f"{path}.{str(name)[:50]}", f"is not a member of a correction. Use {join_choices(MEMBERS)}")
    if body.get("column") is None:
        complaints.add(f"{path}.column", "is required")
    check_text(body.get("column"), LONGEST_HEADING, f"{path}.column", complaints)
    for name in ("from", "to", "code"):
        if not isinstance(body.get(name), str | None) or len(body.get(name) or "") > LONGEST_TEXT:
            complaints.add(f"{path}.{name}", f"must be text of at most {LONGEST_TEXT:,} characters")
    row = body.get("row")
    if row is not None and not (type(row) is int and 0 < row <= LARGEST_ROW):
        complaints.add(f"{path}.row", "must be the number of a row. The first after the header is 1")
    conversions = read_conversions({name: body.get(name) for name in TEXT_CONVERSIONS}, path, complaints)
    unset = tuple(name for name in TEXT_CONVERSIONS if body.get(name) is False)
    kinds = ("from" in body, row is not None, body.get("ignore") is True, bool(conversions or unset))
    if sum(kinds) != 1:
        complaints.add(path, "must have one of `from`, `row`, `ignore`, and how the column is read")
    if (kinds[0] or kinds[1]) == (body.get("to") is None):
        complaints.add(f"{path}.to", "is required with `from` or `row`, and for nothing else")
    return Correction(
        column=str(body.get("column")),
        code=body.get("code"),
        row=row,
        value=body.get("from"),
        to=body.get("to"),
        ignore=kinds[2],
        conversions=conversions,
        unset=unset,
    )


def refuse(complaints: list[Complaint]) -> None:
    """Raises Refused("invalid") if there are any."""
    if complaints:
        raise Refused("invalid", describe(complaints[:10]), complaints[:NAMED_MISTAKES])
