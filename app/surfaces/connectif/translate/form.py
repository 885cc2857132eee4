"""Reads Connectif's form, or the same as JSON, and builds a submission from it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from app.auth.caller import Caller
from app.connections.inline_source import pull_from_source
from app.connections.pull import Pull
from app.errors import Complaint, Refused, describe, join_choices
from app.imports.examine import Upload
from app.imports.intake import Submission
from app.imports.plan import ON_ERROR, Options, ReadOptions, find_contradictions
from app.mappings.declaring.requested import BODY_MEMBER, chooses_mapping, fill_options
from app.mappings.delimiters import NOT_A_DELIMITER, parse_delimiter
from app.mappings.mapping import Mapping
from app.resources.conversion import BadCell, quote_json
from app.resources.email import convert_email
from app.runs.acceptance import parse_run_name
from app.runs.holding.brakes import BRAKES, Brakes, collect_brakes
from app.surfaces.connectif.vocabulary import BOOLEANS, ELEMENTS
from app.surfaces.connectif.wire.request import FORM
from app.web.bodies.upload import Form

# What to say of a part that is required and was sent empty, where more can be said than that.
EMPTY: Final = {
    "delimiter": "`delimiter` was sent empty. curl drops the semicolon of `-F 'delimiter=;'`: use "
    "`--form-string 'delimiter=;'`, or send the word `semicolon`"
}


NUMBERS: Final = {brake.name: brake.kind for brake in BRAKES.values()}  # parts that are numbers in JSON


@dataclass(slots=True)
class FormReader:
    """Reads the text parts of a form one by one, and collects what is wrong with any of them."""

    form: Form
    complaints: list[Complaint] = field(default_factory=list)

    def read_text(self, name: str, *, required: bool = False) -> str | None:
        """The text of a part. An empty part counts as absent: HTML forms send every field that they have."""
        value = self.form.parts.get(name)
        if name in self.form.repeated:
            self.complain(name, f"`{name}` was sent more than once")
        elif not value:
            if required:
                empty = EMPTY.get(name, f"`{name}` is required, but was sent empty")
                self.complain(name, f"`{name}` is required" if value is None else empty)
        elif "\0" in value or any("\ud800" <= each <= "\udfff" for each in value):
            self.complain(name, f"`{name}` must be UTF-8 text without NUL characters")
        else:
            return value
        return None

    def read_choice(self, name: str, choices: Iterable[str], *, required: bool = False, default: Any = None) -> Any:
        value = self.read_text(name, required=required)
        if value is None:
            return default
        if value not in choices:
            self.complain(name, f"`{name}` must be one of {join_choices(map(json.dumps, choices))}")
            return default
        return value

    def read_boolean(self, name: str, *, required: bool, default: bool) -> bool:
        value = self.read_text(name, required=required)
        if value is not None and value.strip().lower() not in BOOLEANS:
            self.complain(name, f"`{name}` must be true or false")
        return default if value is None else BOOLEANS.get(value.strip().lower(), default)

    def read_delimiter(self, *, required: bool) -> str:
        text = self.read_text("delimiter", required=required)
        delimiter = None if text is None else parse_delimiter(text)
        if text is not None and delimiter is None:
            self.complain("delimiter", NOT_A_DELIMITER)
        return delimiter or "auto"

    def complain(self, path: str, reason: str) -> None:
        self.complaints.append(Complaint(path, reason))


@dataclass(frozen=True, slots=True)
class ImportForm:
    """A form as it was understood. `complaints` is everything that the form alone shows to be wrong."""

    type: str  # "" if it is missing
    coupon_set: str | None
    file: Upload | Pull | None  # None: it is at the connection, or missing
    connection: str | None  # the id of the connection that has the file, at `path`
    path: str
    read: ReadOptions
    mapping: Mapping
    options: Options
    name: str | None
    notify: str | None
    webhook_id: str | None
    complaints: tuple[Complaint, ...]

    def build_submission(self, caller: Caller, file: Upload | Pull, *, request_id: str) -> Submission:
        return Submission(
            account_id=caller.account_id,
            sender=caller.identity,
            origin="connectif",
            type=self.type,
            file=file,
            read=self.read,
            mapping=self.mapping,
            options=self.options,
            name=self.name,
            notify=self.notify,
            webhook_id=self.webhook_id,
            request_id=request_id,
        )


def parse_form(form: Form, chosen: Mapping | None = None) -> ImportForm:
    """What the form says, together with the options of the mapping that it chooses. Unknown parts are ignored."""
    reader = FormReader(replace(form, parts={**form.parts, **list_option_parts(form, chosen)}))
    name = reader.read_text("type", required=True)
    # For an account's own types the parts have defaults. Connectif has none: there, a script that omits one is wrong.
    # Mappings are ours.
    strict = not chooses_mapping(form.parts) and (name is None or name in ELEMENTS)
    options = parse_options(reader, strict=strict)
    delimiter = reader.read_delimiter(required=strict)
    coupon_set = reader.read_text("couponSetId", required=True) if name == "coupons" else None
    file_format = reader.read_choice("format", ("csv", "jsonl"))
    connection = reader.read_text("connectionId")
    path = reader.read_text("path", required=connection is not None) or ""
    pull = parse_source(reader)
    upload = find_upload(form)
    check_one_file(reader, file=upload, connectionId=connection, source=pull)
    elsewhere = bool(connection or pull)  # what arrives with the request has been read already
    encoding = reader.read_text("encoding") if elsewhere else None
    sheet = reader.read_text("sheet") if elsewhere else None
    name_of_run, notify, webhook_id = parse_name(reader), parse_email(reader), reader.read_text("webhookId")
    # Of a value of the wrong kind the reader only knows that it is not there.
    told = {each.path for each in form.complaints}
    complaints = (*(each for each in reader.complaints if each.path not in told), *form.complaints)
    mapping = chosen or Mapping(matching="exact" if name in ELEMENTS else "loose")
    constants = {} if coupon_set is None else {"couponSetId": quote_json(coupon_set)}
    return ImportForm(
        type=name or "",
        coupon_set=coupon_set,
        file=upload or pull,
        connection=connection,
        path=path,
        read=ReadOptions(file_format, delimiter, encoding, sheet),
        mapping=replace(mapping, constants=mapping.constants | constants),
        options=options,
        name=name_of_run,
        notify=notify,
        webhook_id=webhook_id,
        complaints=complaints,
    )


def list_option_parts(form: Form, mapping: Mapping | None) -> dict[str, str]:
    """The options of the mapping as parts, without those that the form has itself."""
    filled = fill_options({}, mapping)
    given = {name: value for name, value in filled.items() if not form.parts.get(name) and name not in form.repeated}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}


def parse_options(reader: FormReader, *, strict: bool) -> Options:
    override = reader.read_boolean("overrideExisting", required=strict, default=True)
    only_empty = reader.read_boolean("updateOnlyEmptyFields", required=strict, default=False)
    replaces = reader.read_boolean("replace", required=False, default=False)
    options = Options(
        override_existing=override,
        only_empty=only_empty,
        replace=replaces,
        deletes=reader.read_choice("mode", ("write", "delete"), default="write") == "delete",
        dry_run=reader.read_boolean("dryRun", required=False, default=False),
        undoable=reader.read_boolean("undoable", required=False, default=True),
        on_error=reader.read_choice("onError", ON_ERROR, default="continue"),
        brakes=parse_brakes(reader),
        blank_cells=reader.read_choice("blankCells", ("keep", "clear", "empty"), default="keep"),
        null_marker=reader.read_text("nullMarker"),
        duplicates=reader.read_choice("duplicates", ("last", "first", "error"), default="last"),
        unknown_columns=reader.read_choice("unknownColumns", ("ignore", "keep", "error")),
        if_same_file=reader.read_choice("ifSameFile", ("allow", "report", "refuse"), default="allow"),
    )
    reader.complaints.extend(find_contradictions(options))
    return options


def parse_brakes(reader: FormReader) -> Brakes | None:
    limits: dict[str, float | None] = {}
    for field_name, brake in BRAKES.items():
        text = reader.read_text(brake.name)
        limits[field_name] = None if text is None else brake.parse(text.strip())
        if text is not None and limits[field_name] is None:
            reader.complain(brake.name, f"`{brake.name}` must be {brake.kind}")
    return collect_brakes(limits)


def find_upload(form: Form) -> Upload | None:
    """The file part. Without a name and without a byte it is what an HTML form sends when no file was chosen."""
    absent = form.upload is not None and form.upload.size == 0 and form.upload.file_name is None
    return None if absent else form.upload


def check_one_file(reader: FormReader, **ways: object | None) -> None:
    """The file comes in exactly one of these ways."""
    used = [name for name, value in ways.items() if value is not None]
    if len(used) > 1:
        reader.complain(used[-1], f"Send either `{used[0]}` or `{used[-1]}`, not both")
    elif not used and not reader.form.parts.get("source"):
        reader.complain("file", "One of `file`, `connectionId` and `source` is required")


def parse_source(reader: FormReader) -> Pull | None:
    """Where the request says that its file is: an object, which a form holds as JSON."""
    text = reader.read_text("source")
    if text is None:
        return None
    try:
        source = json.loads(text)
    except (ValueError, RecursionError):
        source = None
    if not isinstance(source, dict):
        reader.complain("source", "`source` must be a JSON object")
        return None
    try:
        return pull_from_source(source)
    except Refused as refused:
        reader.complaints += refused.complaints
        return None


def form_from_json(body: dict[str, object]) -> Form:
    """The same request as JSON in place of a form. Unknown members are ignored here, too."""
    parts, complaints = {}, []
    for name, value in body.items():
        if isinstance(value, str):
            parts[name] = value
        elif value is not None and (isinstance(value, bool) or is_json_part(name, value)):
            parts[name] = json.dumps(value)
        elif value is not None and name in FORM["properties"]:
            kind = "true or false" if FORM["properties"][name].get("enum") == list(BOOLEANS) else "a string"
            complaints.append(Complaint(name, f"`{name}` must be {NUMBERS.get(name, kind)}"))
    return Form(parts, frozenset(), None, tuple(complaints))


def is_json_part(name: str, value: object) -> bool:
    return name in ("source", BODY_MEMBER) or (name in NUMBERS and isinstance(value, int | float))


def parse_name(reader: FormReader) -> str | None:
    """What people call the import."""
    name = reader.read_text("name")
    try:
        return None if name is None else parse_run_name(name)
    except ValueError as wrong:
        reader.complain("name", str(wrong))
        return None


def parse_email(reader: FormReader) -> str | None:
    """The address to notify when the import has ended."""
    address = reader.read_text("confirmEmail")
    if address is not None and isinstance(convert_email(address), BadCell):
        reader.complain("confirmEmail", "`confirmEmail` must be an e-mail address")
    return address


def refuse(complaints: tuple[Complaint, ...]) -> Refused:
    return Refused("invalid", describe(complaints), complaints)
