"""Imports the failed rows of an import once more: as they are, or from a file in which somebody has corrected them."""

from dataclasses import replace
from typing import Final

from app.auth.identity import Identity
from app.errors import Refused, SourceLost
from app.imports.examine import Upload
from app.imports.intake import Submission, submit
from app.imports.plan import Options, load_options
from app.imports.row_files.failed_again import Edit, FailedRows, write_failed_again
from app.imports.row_files.taken_rows import load_taken
from app.imports.submissions.rerun import build_rerun
from app.runs.holding.brakes import REMOVAL
from app.runs.model import Relation, Run
from app.runs.states import State
from app.runtime import Runtime

NOTHING: Final = "No row of this import has failed, so there is nothing to retry"
NOTHING_WRITTEN: Final = (
    "Nothing of this import was written, so its failed rows alone would not complete it. Correct the file and retry "
    "with all of it as `file`"
)
NOT_ENDED: Final = "This import has not ended, so its failed rows cannot be retried yet"
GONE: Final = "The import has been deleted meanwhile"


def ensure_retriable(parent: Run) -> None:
    """Raises Refused: import_not_ended, nothing_to_retry."""
    if not parent.done:
        raise Refused("import_not_ended", NOT_ENDED)
    if not parent.failed:
        raise Refused("nothing_to_retry", NOTHING)


def ensure_written(parent: Run) -> None:
    """Raises Refused("nothing_to_retry") for an import that would have written everything at once, and has not."""
    if load_options(parent).is_staged and parent.state is not State.FINISHED:
        raise Refused("nothing_to_retry", NOTHING_WRITTEN)


async def submit_retry(
    runtime: Runtime, parent: Run, file: Upload | None, *, name: str | None, sender: Identity, request_id: str
) -> Run:
    """Imports the corrected file, or without one the failed rows as they were sent. Raises Refused: import_not_ended,
    nothing_to_retry, gone, and as `submit` does; SourceLost."""
    ensure_retriable(parent)
    again = FailedRows(file, None) if file else await take_failed_rows(runtime, parent)
    retry = build_again(parent, again, name=name, sender=sender, request_id=request_id)
    return await submit(runtime, replace(retry, relation=Relation.RETRY))


async def take_failed_rows(runtime: Runtime, parent: Run, edit: Edit | None = None) -> FailedRows:
    """A file of the failed rows as they were sent, or of those that are edited, as they then are. Raises Refused:
    nothing_to_retry, gone, not_found, too_many_reads."""
    ensure_written(parent)
    taken = await load_taken(runtime, parent.id)
    if taken.returned:
        raise taken.refuse()
    try:
        again = await write_failed_again(runtime, parent, edit=edit, others=taken.rows)
    except SourceLost:
        raise Refused("not_found", GONE) from None
    if again.rows or not again.left_out:
        return again
    again.upload.writer.abort()
    raise taken.refuse()


def build_again(parent: Run, again: FailedRows, *, name: str | None, sender: Identity, request_id: str) -> Submission:
    """Imports the rows as the parent was imported, into the type as it is now. Without a `name` it is called as the
    parent is. It replaces nothing: rows that are not among these have gone in already. Of a delete it deletes."""
    rerun = build_rerun(parent, again.upload, name=name, sender=sender, request_id=request_id)
    read, dialect = rerun.read, again.upload.dialect
    if dialect is not None:
        read = replace(read, format=dialect.format, delimiter=dialect.delimiter)
    return replace(rerun, read=read, options=narrow_options(rerun.options), taken=again.rows)


def narrow_options(options: Options) -> Options:
    """For some rows of a file: without what is meant for all of them. A replacement would remove the others; what
    deletes removes nothing but what the rows name, within its limits."""
    brakes = options.brakes
    if brakes is not None and not options.deletes:
        brakes = replace(brakes, **dict.fromkeys(REMOVAL))
    return replace(options, brakes=brakes, replace=False)
