"""Reads a request that imports something again: a form, JSON, or nothing.

A rerun has the new file, or nothing where the file is fetched; a retry has the corrected file, or nothing.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass

from app.connections.pull import Pull
from app.errors import Complaint
from app.imports.examine import Upload
from app.runs.model import Run
from app.surfaces.connectif.translate.form import FormReader, find_upload, parse_name, parse_source, refuse
from app.surfaces.connectif.wire.request import RERUN_FORM, RERUN_JSON, RETRY_FORM
from app.web.bodies.upload import Form

UPLOAD_AGAIN = "`file` is required: this import was sent a file, so send it as it is now, as multipart/form-data"
NO_UPLOAD = "This import fetches its file, so its rerun takes no `file`"
NO_SOURCE = "This import was sent a file, so its rerun takes no `source`"
OF_A_RERUN = (
    "`{}` is not a part of a rerun: it has the type, the mapping and the options of the import that it runs again"
)
OF_A_RETRY = (
    "`{}` is not a part of a retry: it has the type, the mapping and the options of the import whose rows failed"
)
RERUN_PARTS = {*RERUN_FORM["properties"], *RERUN_JSON["properties"]}


@dataclass(frozen=True, slots=True)
class RerunForm:
    """What a rerun may say: what it is called, which file it takes (None: the file where it was), and whether it only
    shows what it would do."""

    name: str | None
    file: Upload | Pull | None
    dry_run: bool


@dataclass(frozen=True, slots=True)
class RetryForm:
    """What a retry may say: what it is called, and the corrected file. None: the failed rows as they are."""

    name: str | None
    file: Upload | None


def parse_rerun(form: Form, parent: Run) -> RerunForm:
    """Raises one Refused("invalid") that names every mistake."""
    reader = open_form(form, RERUN_PARTS, OF_A_RERUN)
    name, upload, pull = parse_name(reader), find_upload(form), parse_source(reader)
    dry_run = reader.read_boolean("dryRun", required=False, default=False)
    if parent.source is None and upload is None:
        reader.complain("file", UPLOAD_AGAIN)
    if parent.source is None and form.parts.get("source"):
        reader.complain("source", NO_SOURCE)
    if parent.source is not None and upload is not None:
        reader.complain("file", NO_UPLOAD)
    refuse_mistakes(reader)
    return RerunForm(name, upload or pull, dry_run)


def parse_retry(form: Form) -> RetryForm:
    """Raises one Refused("invalid") that names every mistake."""
    reader = open_form(form, RETRY_FORM["properties"], OF_A_RETRY)
    retry = RetryForm(parse_name(reader), find_upload(form))
    refuse_mistakes(reader)
    return retry


def open_form(form: Form, parts: Collection[str], settled: str) -> FormReader:
    """Complains of what was settled by the earlier import."""
    reader = FormReader(form)
    for part in form.parts:
        if part not in parts:
            reader.complain(part, settled.format(part))
    return reader


def refuse_mistakes(reader: FormReader) -> None:
    if complaints := (*reader.complaints, *reader.form.complaints):
        raise refuse(complaints)


def form_from_members(body: dict[str, object]) -> Form:
    """The same as JSON. A member that is null counts as absent."""
    given = {name: value for name, value in body.items() if value is not None}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    complaints = () if isinstance(given.get("name", ""), str) else (Complaint("name", "`name` must be a string"),)
    return Form(texts, frozenset(), None, complaints)
