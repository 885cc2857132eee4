"""The last step of a draft: its name, when it stops before harm, what else becomes of it, and whom to tell."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from app.drafts.draft import OF_RUN, Draft
from app.drafts.type_choice import find_options
from app.errors import Complaint, Refused, describe
from app.mappings.declaring.options import find_changed
from app.mappings.mapping import Mapping as ColumnMapping
from app.resources.conversion import BadCell
from app.resources.email import convert_email
from app.runs.acceptance import find_name_mistake
from app.runs.holding.brakes import BRAKES, Brakes
from app.runs.holding.defaults import Fallback, find_fallbacks

LONGEST_NAME: Final = 150  # characters of a file's name in the name of its import
NOT_AN_ADDRESS: Final = "Enter an e-mail address"


def suggest_name(draft: Draft, now: datetime) -> str:
    """ "prices-08.csv, 27 November 2026": what somebody would look for later."""
    return f"{draft.name[:LONGEST_NAME]}, {now.day} {now:%B %Y}"


def is_of_file(name: str | None, file_name: str | None) -> bool:
    """Whether the name of an import begins with that of its file, as a suggested one does: it suits no other file."""
    return bool(name and file_name and name.startswith(file_name[:LONGEST_NAME]))


def find_limits(mapping: ColumnMapping, account: Brakes, *, replaces: bool) -> Mapping[str, Fallback]:
    """The limits that count where the draft has none, by the names of fields of Brakes."""
    said = Brakes(**{name: mapping.options.get(brake.name) for name, brake in BRAKES.items()})
    return find_fallbacks(account, said, replaces=replaces)


def read_run_choices(
    draft: Draft, mapping: ColumnMapping, given: Mapping[str, Any], mistakes: Sequence[Complaint] = ()
) -> dict[str, Any]:
    """Choices of the last step: `name`, `confirmEmail`, and those of OF_RUN that the form has, as members of a request
    with "" for none. What is as it was shown is not taken for a choice. Raises one Refused("invalid") that names every
    mistake, together with `mistakes`."""
    complaints, address = [*mistakes], given.get("confirmEmail")
    if mistake := find_name_mistake(given["name"]):
        complaints.append(Complaint("name", mistake))
    if address and isinstance(convert_email(address), BadCell):
        complaints.append(Complaint("confirmEmail", NOT_AN_ADDRESS))
    changed: dict[str, Any] = {}
    try:
        options = {name: given[name] for name in OF_RUN if name in given}
        changed = find_changed(find_run_options(draft, mapping), options)
    except Refused as refused:
        complaints += refused.complaints
    if complaints:
        raise Refused("invalid", describe(complaints), complaints)
    chosen = {"name": given["name"], "confirmEmail": address, **changed}
    return {name: None if value == "" else value for name, value in chosen.items()}


def find_run_options(draft: Draft, mapping: ColumnMapping) -> dict[str, Any]:
    """What the last step shows of OF_RUN: what counts, but of limits only those that were chosen for this import."""
    chosen = {brake.name: draft.choices.get(brake.name, "") for brake in BRAKES.values()}
    return {name: value for name, value in {**find_options(draft.choices, mapping), **chosen}.items() if name in OF_RUN}
