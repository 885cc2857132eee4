"""The options of an import as the fields of a form: what they show, and what a request would say in their place."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import FormData

from app.dashboard.forms import text_of
from app.dashboard.views.options.choices import FLAGS, tell_existing
from app.dashboard.views.options.limits import read_limits, show_limits
from app.errors import Complaint

# What the form calls members that it shows as one field.
FIELDS: Final = {"overrideExisting": "existing", "updateOnlyEmptyFields": "existing"}
TEXTS: Final = (
    "format", "encoding", "blankCells", "nullMarker", "duplicates", "unknownColumns", "mode", "onError", "ifSameFile",
)  # fmt: skip
SWITCHES: Final = ("replace", "undoable")


def show_options(members: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the fields; `members` are those of a request, of all options."""
    undoable = "true" if members["undoable"] else "false"  # one of two choices
    return {**members, **show_limits(members), "existing": tell_existing(members), "undoable": undoable}


def read_options(form: FormData) -> tuple[dict[str, Any], list[Complaint]]:
    """What the fields say as members of a request, with "" for none, and what is wrong with limits. What the form does
    not have is left out."""
    members, mistakes = read_limits(form)
    members |= {name: text_of(form, name) for name in TEXTS if name in form}
    members |= {name: text_of(form, name) == "true" for name in SWITCHES if name in form}
    if "delimiter" in form:
        delimiter = str(form["delimiter"])  # a tab is one
        members["delimiter"] = "" if delimiter == "auto" else delimiter
    if (flags := FLAGS.get(text_of(form, "existing"))) is not None:
        members["overrideExisting"], members["updateOnlyEmptyFields"] = flags
    return members, mistakes
