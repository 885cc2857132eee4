"""The last step of a draft: its name, when it stops before harm, and whom to tell."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from app.drafts.draft import Draft
from app.errors import Complaint, Refused, describe, join_choices
from app.imports.plan import ON_ERROR
from app.resources.conversion import BadCell
from app.resources.email import convert_email
from app.runs.acceptance import find_name_mistake
from app.runs.holding.brakes import BRAKES, MAX_REMOVED_SHARE

LONGEST_NAME: Final = 150  # characters of a file's name in the name of its import
SHARES: Final = ("maxErrorShare", "maxRemovedShare")
NOT_A_PERCENTAGE: Final = "Enter a percentage from 0 to 100, such as 5"
NOT_AN_ADDRESS: Final = "Enter an e-mail address"


def suggest_name(draft: Draft, now: datetime) -> str:
    """ "prices-08.csv, 27 November 2026": what somebody would look for later."""
    return f"{draft.name[:LONGEST_NAME]}, {now.day} {now:%B %Y}"


def is_of_file(name: str | None, file_name: str | None) -> bool:
    """Whether the name of an import begins with that of its file, as a suggested one does: it suits no other file."""
    return bool(name and file_name and name.startswith(file_name[:LONGEST_NAME]))


def find_percentages(draft: Draft) -> dict[str, str]:
    """The limits of the draft as people write them; "" for none."""
    shares = {name: draft.choices.get(name) for name in SHARES}
    if draft.choices.get("replace") and shares["maxRemovedShare"] is None:
        shares["maxRemovedShare"] = MAX_REMOVED_SHARE
    return {name: "" if share is None else f"{float(share) * 100:.10g}" for name, share in shares.items()}


def read_run_choices(given: Mapping[str, str]) -> dict[str, Any]:
    """Choices of the last step from a form: name, confirmEmail, onError, and percentages by SHARES; "" for none.
    Raises one Refused("invalid") that names every mistake."""
    complaints, name, address = [], given["name"], given["confirmEmail"]
    if mistake := find_name_mistake(name):
        complaints.append(Complaint("name", mistake))
    if address and isinstance(convert_email(address), BadCell):
        complaints.append(Complaint("confirmEmail", NOT_AN_ADDRESS))
    shares = {each: read_percentage(given[each]) for each in SHARES if given.get(each)}
    on_error = given.get("onError") or "continue"
    if on_error not in ON_ERROR:
        complaints.append(Complaint("onError", f"`onError` must be one of {join_choices(ON_ERROR)}"))
    complaints += [Complaint(each, NOT_A_PERCENTAGE) for each, share in shares.items() if share is None]
    if complaints:
        raise Refused("invalid", describe(complaints), complaints)
    chosen = {"name": name, "confirmEmail": address or None, "onError": None if on_error == "continue" else on_error}
    return {**chosen, **dict.fromkeys(SHARES), **shares}


def read_percentage(text: str) -> float | None:
    """The share that a percentage is; None for what is none."""
    try:
        share = round(float(text.removesuffix("%").replace(",", ".")) / 100, 9)
    except ValueError:
        return None
    brake = next(each for each in BRAKES.values() if each.name == SHARES[0])
    return brake.parse(share)
