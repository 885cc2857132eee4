"""The options of an import, from a JSON body or a form, into a submission."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from app.connections.pull import Pull
from app.errors import Complaint, Refused, describe
from app.imports.examine import Upload
from app.imports.intake import Submission
from app.imports.plan import Options, ReadOptions
from app.mappings.columns import find_columns
from app.mappings.mapping import Mapping as FieldMapping
from app.resources.catalog import RESOURCE
from app.resources.cells import BadCell, compile_cell
from app.resources.schema import Field
from app.runs.model import AccountId
from app.surfaces.cordial.vocabulary import ORIGIN
from app.web.bodies.upload import Form

NAMES: Final = ("hasHeader", "columns", "nullMarker", "confirmEmail")
TRUTH: Final[Mapping[object, bool]] = {True: True, "true": True, "1": True, False: False, "false": False, "0": False}
CSV: Final = (".csv", ".tsv", ".txt")

_unfit = re.compile("[\0\ud800-\udfff]").search  # what cannot be stored, or was no UTF-8
_is_email = compile_cell(Field("confirmEmail", "email"))


@dataclass(frozen=True, slots=True)
class Asked:
    """The options as they are understood. `columns` is empty where a header names the cells."""

    has_header: bool
    columns: tuple[str, ...]
    null_marker: str | None
    confirm_email: str | None

    @property
    def options(self) -> Options:
        return Options(blank_cells="empty", null_marker=self.null_marker)

    @property
    def mapping(self) -> FieldMapping:
        return FieldMapping(header=self.columns, has_header=self.has_header)


def asked(given: Mapping[str, object], complaints: list[Complaint]) -> Asked:
    """What is wrong goes to `complaints`. A member that is null is as one that is not there."""
    flag, before = given.get("hasHeader"), len(complaints)
    # 1 of JSON is a Decimal, equal to True and with the same hash.
    has_header = None if flag is None or isinstance(flag, list | dict) else TRUTH.get(flag)
    if flag is not None and has_header is None:
        complaints.append(Complaint("hasHeader", "The hasHeader field must be true or false."))
    columns = read_columns(given.get("columns"), complaints)
    if not columns and not has_header and len(complaints) == before:
        complaints.append(Complaint("hasHeader", "The hasHeader field must be true when columns is not present."))
        complaints.append(Complaint("columns", "The columns field is required when hasHeader is not true."))
    email = read_text(given, "confirmEmail", complaints)
    if email is not None and isinstance(_is_email(email), BadCell):
        complaints.append(Complaint("confirmEmail", "The confirmEmail must be a valid email address."))
    return Asked(bool(has_header), columns, read_text(given, "nullMarker", complaints), email or None)


def read_columns(given: object, complaints: list[Complaint]) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        complaints.append(Complaint("columns", "The columns must be an array."))
        return ()
    for index, each in enumerate(given):
        if not isinstance(each, str) or not each.strip() or _unfit(each):
            complaints.append(Complaint(f"columns.{index}", f"The columns.{index} must be the name of a field."))
            return ()
    return tuple(each.strip() for each in given)


def read_text(given: Mapping[str, object], name: str, complaints: list[Complaint], *, path: str = "") -> str | None:
    """None where it is not given."""
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or _unfit(value):
        complaints.append(required_string(path or name))
        return None
    return value


def required_string(path: str) -> Complaint:
    return Complaint(path, f"The {path} must be a string.")


def from_form(form: Form, complaints: list[Complaint]) -> dict[str, object]:
    """The parts of a form as the members of a body. An empty part says nothing, but of nullMarker it does."""
    complaints += [Complaint(name, "stands twice in the form") for name in NAMES if name in form.repeated]
    given: dict[str, object] = {
        name: form.parts[name]
        for name in NAMES
        if form.parts.get(name) or (name == "nullMarker" and name in form.parts)
    }
    for name in ("hasHeader", "confirmEmail"):
        if isinstance(text := given.get(name), str):
            given[name] = text.strip().lower() if name == "hasHeader" else text.strip()
    if isinstance(columns := given.get("columns"), str):
        given["columns"] = column_list(columns)
    return given


def column_list(text: str) -> object:
    """A JSON list, or names with commas between them."""
    if not text.lstrip().startswith("["):
        return text.split(",")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def check_columns(wanted: Asked, file_name: str) -> None:
    """Names that no CSV could have are refused before the file is fetched, if it surely is one. Raises
    Refused("invalid")."""
    if wanted.columns and file_name.lower().removesuffix(".gz").endswith(CSV):
        find_columns(wanted.columns, RESOURCE, wanted.mapping)


def refuse(complaints: Sequence[Complaint]) -> None:
    """Raises Refused("invalid") if there are any."""
    if complaints:
        raise Refused("invalid", describe(complaints), complaints)


def submission(account_id: AccountId, wanted: Asked, file: Upload | Pull, *, request_id: str) -> Submission:
    return Submission(
        account_id=account_id,
        origin=ORIGIN,
        type=RESOURCE.name,
        file=file,
        read=ReadOptions(delimiter=","),
        mapping=wanted.mapping,
        options=wanted.options,
        notify=wanted.confirm_email,
        request_id=request_id,
    )
