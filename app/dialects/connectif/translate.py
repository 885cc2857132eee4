"""Connectif's form into a submission, a run into Connectif's import, a failure into its answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from app.dialects.connectif import wire
from app.dialects.connectif.vocabulary import ANSWERS, BOOLEANS, DELIMITERS, ELEMENTS, STATUSES
from app.errors import Complaint, Refused
from app.imports.intake import Submission, Upload
from app.imports.plan import Options
from app.resources.conversion import quoted
from app.runs.model import AccountId, Run
from app.runs.status import Status
from app.throttle import Allowance
from app.web.bodies.upload import Form
from app.web.failures import Failure, Said, problem
from app.web.surface import spelled

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
    delimiter: str
    format: str | None
    options: Options
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
        constants={} if coupon_set is None else {"couponSetId": quoted(coupon_set)},
    )
    written_as = read.word("format", same("csv", "jsonl"))
    if form.upload is None and "file" not in form.parts:
        read.complain("file", REQUIRED)
    return Asked(named, coupon_set, delimiter, written_as, options, (*read.complaints, *form.complaints))


def same(*words: str) -> dict[str, str]:
    return {word: word for word in words}


def invalid(complaints: tuple[Complaint, ...]) -> Refused:
    return Refused("invalid", spelled(complaints), complaints)


def submission(account_id: AccountId, wanted: Asked, upload: Upload, *, request_id: str) -> Submission:
    return Submission(
        account_id=account_id,
        origin="connectif",
        type=wanted.type or "",
        upload=upload,
        format=wanted.format,
        delimiter=wanted.delimiter,
        caseless=wanted.type not in ELEMENTS,
        options=wanted.options,
        request_id=request_id,
    )


def shown(status: Status, *, base: str, retention_days: int) -> wire.Import:
    """The import as it is at this moment; what is not set is left out."""
    run, own = status.run, f"{base}/imports/{status.run.id}"
    optional = {
        "error_report_file_url": f"{own}/failed-rows.csv" if run.failed else None,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "outcome": status.outcome,
        "eta_seconds": status.eta_seconds,
        "queue_position": status.queue_position,
        "failure": wire.RunFailure(code=run.fail_code, detail=run.fail_detail or "") if run.fail_code else None,
        "file_name": run.file_name,
        "expires_at": run.finished_at + timedelta(days=retention_days) if run.finished_at else None,
    }
    return wire.Import(
        id=run.id,
        type=run.type,
        status=STATUSES[run.state],
        origin="api",
        total=run.total or 0,
        success=run.success,
        errors=run.failed,
        options=options_shown(run),
        created_at=run.created_at,
        created=run.created,
        updated=run.updated,
        unchanged=run.unchanged,
        skipped=run.skipped,
        remaining=run.remaining or 0,
        done=run.done,
        percent=status.percent,
        error_summary=[error_group(each) for each in run.error_summary],
        warnings=[warning_group(each) for each in run.warnings],
        file_bytes=run.file_bytes,
        file_sha256=run.file_sha256,
        dialect=wire.Dialect(**run.plan["dialect"]),
        links=wire.RunLinks(self=own, problems=f"{own}/problems", failed_rows=f"{own}/failed-rows.csv"),
        **{name: value for name, value in optional.items() if value is not None},
    )


def options_shown(run: Run) -> wire.Options:
    given = run.options
    coupon_set = given["constants"].get("couponSetId")
    optional = {
        "coupon_set_id": None if coupon_set is None else json.loads(coupon_set),
        "null_marker": given["null_marker"],
        "unknown_columns": given["unknown_columns"],
    }
    return wire.Options(
        delimiter=run.plan["dialect"]["delimiter"],
        override_existing=given["override_existing"],
        update_only_empty_fields=given["only_empty"],
        blank_cells=given["blank_cells"],
        duplicates=given["duplicates"],
        **{name: value for name, value in optional.items() if value is not None},
    )


def error_group(group: Mapping[str, Any]) -> wire.ErrorGroup:
    return wire.ErrorGroup.model_validate(group)


def warning_group(group: Mapping[str, Any]) -> wire.WarningGroup:
    return wire.WarningGroup.model_validate(group)


def page_links(number: int, *, more: bool, address: Callable[[int], str]) -> wire.PageLinks:
    """`address` gives the address of a page by its number."""
    beside = {"next": number + 1 if more else 0, "prev": number - 1}
    return wire.PageLinks(**{name: address(page) for name, page in beside.items() if page > 0})


def failure_shown(failure: Failure, request: Request) -> Response:
    """Always application/json: a client of Connectif's reads nothing else."""
    status, code = ANSWERS[failure.code]
    return problem(failure, request, Said(status, code, HTTPStatus(status).phrase, "application/json"))


def rate_headers(left: Allowance) -> dict[str, str]:
    """As Connectif's clients read them."""
    return {
        "X-RateLimit-Limit": str(left.limit),
        "X-RateLimit-Remaining": str(left.remaining),
        "X-RateLimit-Reset": str(left.reset_at),
    }
