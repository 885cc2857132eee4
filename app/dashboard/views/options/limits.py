"""The limits at which a run stops before harm, as people read and type them: shares are percentages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import FormData

from app.dashboard.forms import text_of
from app.errors import Complaint
from app.runs.holding.brakes import BRAKES, REMOVAL, SHARE, Brake
from app.runs.holding.defaults import Fallback, FallbackSource

# By the name of the field of Brakes.
LABELS: Final[Mapping[str, str]] = {
    "max_errors": "Maximum failed rows",
    "max_error_share": "Maximum failed rows, in %",
    "max_created": "Maximum new records",
    "max_updated": "Maximum changed records",
    "max_removed": "Maximum removed records",
    "max_removed_share": "Maximum removed records, in %",
    "min_rows": "Minimum rows in the file",
}
SOURCES: Final[Mapping[FallbackSource, str]] = {
    "mapping": "as the mapping template says",
    "account": "as the defaults of the account say",
    "replacement": "as for everything that removes records",
}
NOT_A_NUMBER: Final = "`{}` must be a whole number, such as 100"
NOT_A_PERCENTAGE: Final = "`{}` must be a percentage from 0 to 100, such as 5"


@dataclass(frozen=True, slots=True)
class LimitField:
    """A field of a form. `name` is that of the limit in requests, `help` what counts while it is empty."""

    name: str
    label: str
    help: str
    is_share: bool


def list_limits(fallbacks: Mapping[str, Fallback] | None, *, removes: bool) -> list[LimitField]:
    """`fallbacks` by the names of fields of Brakes; None where it is not known what an empty field comes to. The limits
    of removed records are for what `removes` some."""
    return [
        LimitField(
            brake.name,
            LABELS[name],
            "" if fallbacks is None else explain_empty(brake, fallbacks.get(name)),
            brake.kind == SHARE,
        )
        for name, brake in BRAKES.items()
        if removes or name not in REMOVAL
    ]


def explain_empty(brake: Brake, fallback: Fallback | None) -> str:
    if fallback is None:
        return "Empty: no limit"
    unit = " %" if brake.kind == SHARE else ""
    return f"Empty: {write_limit(brake, fallback.limit)}{unit}, {SOURCES[fallback.source]}"


def write_limit(brake: Brake, limit: Any) -> str:
    if limit is None or limit == "":
        return ""
    return f"{float(limit) * 100:.10g}" if brake.kind == SHARE else str(limit)


def show_limits(members: Mapping[str, Any]) -> dict[str, str]:
    """The values of the fields; "" for no limit. `members` are those of a request."""
    return {brake.name: write_limit(brake, members.get(brake.name)) for brake in BRAKES.values()}


def read_limits(form: FormData) -> tuple[dict[str, Any], list[Complaint]]:
    """Members of a request, with "" for an empty field and none for one that the form does not have, and what is wrong
    with others."""
    members: dict[str, Any] = {}
    mistakes = []
    for brake in BRAKES.values():
        if brake.name in form:
            text = text_of(form, brake.name)
            limit = read_limit(brake, text) if text else ""
            if limit is None:
                reason = NOT_A_PERCENTAGE if brake.kind == SHARE else NOT_A_NUMBER
                mistakes.append(Complaint(brake.name, reason.format(brake.name)))
            else:
                members[brake.name] = limit
    return members, mistakes


def read_limit(brake: Brake, text: str) -> float | None:
    """None for what is none. Of a number in groups of three, "10,000", the commas are left out."""
    if brake.kind != SHARE:
        return brake.parse(text.replace(",", "").replace(" ", ""))
    try:
        return brake.parse(round(float(text.removesuffix("%").replace(",", ".")) / 100, 9))
    except ValueError:
        return None
