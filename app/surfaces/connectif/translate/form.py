"""Connectif's form, or the same as JSON, into a submission."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.connections.pull import Pull
from app.connections.source import pull_from_source
from app.errors import Complaint, Refused, describe
from app.imports.examine import Upload
from app.imports.intake import Submission
from app.imports.plan import Options, ReadOptions
from app.mappings.mapping import Mapping as FieldMapping
from app.resources.conversion import BadCell, quote_json
from app.resources.email import convert_email
from app.runs.model import AccountId
from app.surfaces.connectif.vocabulary import BOOLEANS, DELIMITERS, ELEMENTS
from app.surfaces.connectif.wire import FORM
from app.web.bodies.upload import Form

REQUIRED = "is required"


@dataclass(slots=True)
class Reading:
    """The text parts of a form, read one by one; what is wrong with any of them is collected."""

    form: Form
    complaints: list[Complaint] = field(default_factory=list)

    def text(self, name: str, *, required: bool = False) -> str | None:
        value = self.form.parts.get(name)
        if name in self.form.repeated:
            self.complain(name, "stands more than once in the form")
        elif value is None or (required and not value):
            if required:
                self.complain(name, REQUIRED)
        elif "\0" in value or any("\ud800" <= each <= "\udfff" for each in value):
            self.complain(name, "is not text in UTF-8")
        else:
            return value
        return None

    def word(self, name: str, words: Mapping[str, Any], *, required: bool = False, default: Any = None) -> Any:
        """What the words make of the part's value."""
        value = self.text(name, required=required)
        if value is None:
            return default
        if value not in words:
            self.complain(name, f"must be one of {', '.join(map(repr, words))}")
        return words.get(value, default)

    def boolean(self, name: str, *, required: bool, default: bool) -> bool:
        value = self.text(name, required=required)
        if value is not None and value.strip().lower() not in BOOLEANS:
            self.complain(name, "must be true or false")
        return default if value is None else BOOLEANS.get(value.strip().lower(), default)

    def complain(self, path: str, reason: str) -> None:
        self.complaints.append(Complaint(path, reason))


@dataclass(frozen=True, slots=True)
class Asked:
    """A form that was read; `complaints` is all that is wrong with it by itself."""

    type: str | None
    coupon_set: str | None
    connection: str | None  # with `path`: the file is fetched
    path: str
    pull: Pull | None  # from where the request itself says
    encoding: str | None
    notify: str | None
    delimiter: str
    format: str | None
    options: Options
    constants: dict[str, str]
    complaints: tuple[Complaint, ...]


def asked(form: Form) -> Asked:
    """What the form says. Parts that it does not know are ignored."""
    read = Reading(form)
    named = read.text("type", required=True)
    # For an account's own types the parts have defaults; Connectif has none, and a script without them is wrong.
    strict = named is None or named in ELEMENTS
    override = read.boolean("overrideExisting", required=strict, default=True)
    only_empty = read.boolean("updateOnlyEmptyFields", required=strict, default=False)
    if only_empty and not override:
        read.complain("updateOnlyEmptyFields", "may be true only together with overrideExisting true")
    delimiter = read.word("delimiter", DELIMITERS, required=strict, default="auto")
    coupon_set = read.text("couponSetId", required=True) if named == "coupons" else None
    options = Options(
        override_existing=override,
        only_empty=only_empty,
        blank_cells=read.word("blankCells", same("keep", "clear", "empty"), default="keep"),
        null_marker=read.text("nullMarker"),
        duplicates=read.word("duplicates", same("last", "first", "error"), default="last"),
        unknown_columns=read.word("unknownColumns", same("ignore", "keep", "error")),
    )
    written_as = read.word("format", same("csv", "jsonl"))
    connection = read.text("connectionId")
    path = read.text("path", required=connection is not None) or ""
    pull = source(read)
    one_way(read, {"file": form.upload, "connectionId": connection, "source": pull})
    return Asked(
        type=named,
        coupon_set=coupon_set,
        connection=connection,
        path=path,
        pull=pull,
        encoding=read.text("encoding") if connection or pull else None,
        notify=address(read),
        delimiter=delimiter,
        format=written_as,
        options=options,
        constants={} if coupon_set is None else {"couponSetId": quote_json(coupon_set)},
        complaints=(*read.complaints, *form.complaints),
    )


def one_way(read: Reading, ways: Mapping[str, object | None]) -> None:
    """A file comes in one way, or is fetched in one."""
    given = [name for name, way in ways.items() if way is not None]
    if len(given) > 1:
        read.complain(given[-1], f"may not stand beside {given[0]}")
    elif not given and "source" not in read.form.parts:
        read.complain("file", f"one of file, connectionId and source {REQUIRED}")


def source(read: Reading) -> Pull | None:
    """Where the request itself says that its file is: an object, in a form as JSON."""
    given = read.text("source")
    if given is None:
        return None
    try:
        described = json.loads(given)
    except (ValueError, RecursionError):
        described = None
    if not isinstance(described, dict):
        read.complain("source", "must be an object")
        return None
    try:
        return pull_from_source(described)
    except Refused as wrong:
        read.complaints += wrong.complaints
        return None


def form_of(body: Mapping[str, object]) -> Form:
    """The same request as JSON instead of a form: what it does not know is ignored here, too."""
    parts, complaints = {}, []
    for name, value in body.items():
        if isinstance(value, str):
            parts[name] = value
        elif isinstance(value, bool):
            parts[name] = "true" if value else "false"
        elif name == "source":
            parts[name] = json.dumps(value)
        elif value is not None and name in FORM["properties"]:
            complaints.append(Complaint(name[:100], "must be a text"))
    return Form(parts, frozenset(), None, tuple(complaints))


def address(read: Reading) -> str | None:
    """Who is told by mail when the import has ended."""
    given = read.text("confirmEmail")
    if given is not None and isinstance(convert_email(given), BadCell):
        read.complain("confirmEmail", "must be an e-mail address")
    return given


def same(*words: str) -> dict[str, str]:
    return {word: word for word in words}


def invalid(complaints: tuple[Complaint, ...]) -> Refused:
    return Refused("invalid", describe(complaints), complaints)


def submission(account_id: AccountId, wanted: Asked, file: Upload | Pull, *, request_id: str) -> Submission:
    return Submission(
        account_id=account_id,
        origin="connectif",
        type=wanted.type or "",
        file=file,
        read=ReadOptions(wanted.format, wanted.delimiter, wanted.encoding),
        mapping=FieldMapping(ignore_case=wanted.type not in ELEMENTS, constants=wanted.constants),
        notify=wanted.notify,
        options=wanted.options,
        request_id=request_id,
    )
