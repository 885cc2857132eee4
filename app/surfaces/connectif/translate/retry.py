"""Reads the request that imports the failed rows of an import once more: a form with the corrected file, or nothing."""

from dataclasses import dataclass

from app.imports.examine import Upload
from app.surfaces.connectif.translate.form import FormReader, find_upload, parse_name, refuse
from app.surfaces.connectif.wire.request import RETRY_FORM
from app.web.bodies.upload import Form

SETTLED = "`{}` is not a part of a retry: it has the type, the mapping and the options of the import whose rows failed"


@dataclass(frozen=True, slots=True)
class RetryForm:
    """What a retry may say: what it is called, and the corrected file. None: the failed rows as they are."""

    name: str | None
    file: Upload | None


def parse_retry(form: Form) -> RetryForm:
    """Raises one Refused("invalid") that names every mistake."""
    reader = FormReader(form)
    for part in form.parts:
        if part not in RETRY_FORM["properties"]:
            reader.complain(part, SETTLED.format(part))
    name, file = parse_name(reader), find_upload(form)
    if complaints := (*reader.complaints, *form.complaints):
        raise refuse(complaints)
    return RetryForm(name, file)
