"""Reads the options of an import from a JSON body or a form, and builds a submission from them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from app.auth.caller import Caller
from app.connections.pull import Pull
from app.errors import Complaint, Refused, describe
from app.imports.examine import Upload
from app.imports.intake import Submission
from app.imports.plan import Options, ReadOptions
from app.mappings.columns import find_columns
from app.mappings.mapping import Mapping
from app.resources.catalog import RESOURCE
from app.resources.field_types import BadCell, compile_cell
from app.resources.schema import Field
from app.surfaces.cordial.vocabulary import ORIGIN
from app.web.bodies.upload import Form

NAMES: Final = ("hasHeader", "columns", "nullMarker", "confirmEmail")
BOOLEANS: Final[dict[object, bool]] = {
    True: True, "true": True, "1": True, False: False, "false": False, "0": False,
}  # fmt: skip
CSV: Final = (".csv", ".tsv", ".txt")

find_unstorable = re.compile("[\0\ud800-\udfff]").search  # NUL, and what was not valid UTF-8
convert_email = compile_cell(Field("confirmEmail", "email"))


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """What a request says about the import besides where its file is."""

    mapping: Mapping
    options: Options
    notify: str | None

    def build_submission(self, caller: Caller, file: Upload | Pull, *, request_id: str) -> Submission:
        return Submission(
            account_id=caller.account_id,
            sender=caller.identity,
            origin=ORIGIN,
            type=RESOURCE.name,
            file=file,
            read=ReadOptions(delimiter=",", prescribed=True),
            mapping=self.mapping,
            options=self.options,
            notify=self.notify,
            request_id=request_id,
        )


def parse_settings(body: dict[str, object], complaints: list[Complaint]) -> ImportSettings:
    """Adds what is wrong to `complaints`. A member that is null counts as absent."""
    flag, earlier = body.get("hasHeader"), len(complaints)
    # A 1 in JSON is a Decimal, which equals True and has the same hash.
    has_header = None if flag is None or isinstance(flag, list | dict) else BOOLEANS.get(flag)
    if flag is not None and has_header is None:
        complaints.append(Complaint("hasHeader", "The hasHeader field must be true or false."))
    columns = parse_columns(body.get("columns"), complaints)
    if not columns and not has_header and len(complaints) == earlier:
        complaints.append(Complaint("hasHeader", "The hasHeader field must be true when columns is not present."))
        complaints.append(Complaint("columns", "The columns field is required when hasHeader is not true."))
    email = parse_text(body, "confirmEmail", complaints)
    if email is not None and isinstance(convert_email(email), BadCell):
        complaints.append(Complaint("confirmEmail", "The confirmEmail must be a valid email address."))
    return ImportSettings(
        mapping=Mapping(header=columns, has_header=bool(has_header)),
        options=Options(blank_cells="empty", null_marker=parse_text(body, "nullMarker", complaints)),
        notify=email or None,
    )


def parse_columns(value: object, complaints: list[Complaint]) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        complaints.append(Complaint("columns", "The columns must be an array."))
        return ()
    for index, each in enumerate(value):
        if not isinstance(each, str) or not each.strip() or find_unstorable(each):
            complaints.append(Complaint(f"columns.{index}", f"The columns.{index} must be the name of a field."))
            return ()
    return tuple(each.strip() for each in value)


def parse_text(body: dict[str, object], name: str, complaints: list[Complaint], *, path: str = "") -> str | None:
    """The member's text, or None if it is absent. `path` is what complaints call it, if that is not its name."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or find_unstorable(value):
        complaints.append(Complaint(path or name, f"The {path or name} must be a string."))
        return None
    return value


def form_to_body(form: Form, complaints: list[Complaint]) -> dict[str, object]:
    """The parts of a form as the members of a JSON body. An empty part counts as absent, except for nullMarker."""
    complaints += [
        Complaint(name, f"The {name} field must be sent only once.") for name in NAMES if name in form.repeated
    ]
    body: dict[str, object] = {
        name: form.parts[name]
        for name in NAMES
        if form.parts.get(name) or (name == "nullMarker" and name in form.parts)
    }
    for name in ("hasHeader", "confirmEmail"):
        if isinstance(text := body.get(name), str):
            body[name] = text.strip().lower() if name == "hasHeader" else text.strip()
    if isinstance(columns := body.get("columns"), str):
        body["columns"] = split_columns(columns)
    return body


def split_columns(text: str) -> object:
    """A JSON list, or names separated by commas. Text that is neither comes back as it is."""
    if not text.lstrip().startswith("["):
        return text.split(",")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


def check_columns(settings: ImportSettings, file_name: str) -> None:
    """Refuses columns that no CSV file could have, before the file is fetched, if its name says that it is CSV. Raises
    Refused("invalid")."""
    header = settings.mapping.header
    if header and file_name.lower().removesuffix(".gz").endswith(CSV):
        find_columns(header, RESOURCE, settings.mapping)


def refuse_any(complaints: Sequence[Complaint]) -> None:
    """Raises Refused("invalid") if there are complaints."""
    if complaints:
        raise Refused("invalid", describe(complaints), complaints)
