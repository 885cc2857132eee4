"""Imports the failed rows of an import once more: as they are, or from a file in which somebody has corrected them."""

from dataclasses import replace
from typing import Final

from app.auth.identity import Identity
from app.errors import Refused
from app.imports.examine import Upload
from app.imports.intake import Submission
from app.imports.plan import Options, load_options
from app.imports.row_files.failed_again import write_failed_again
from app.imports.submissions.rerun import build_rerun
from app.runs.holding.brakes import REMOVAL
from app.runs.model import Relation, Run
from app.runs.states import State
from app.runtime import Runtime

NOTHING: Final = "No row of this import has failed, so there is nothing to retry"
NOTHING_WRITTEN: Final = (
    "Nothing of this import was written, so its failed rows alone would not complete it. Correct the file and send all "
    "of it as `file`"
)
NOT_ENDED: Final = "This import has not ended, so its failed rows cannot be retried yet"


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


async def take_failed_rows(runtime: Runtime, parent: Run) -> Upload:
    """A file of the failed rows as they were sent. Raises Refused: import_not_ended, nothing_to_retry, gone;
    SourceLost."""
    ensure_retriable(parent)
    ensure_written(parent)
    return await write_failed_again(runtime, parent)


def build_retry(parent: Run, file: Upload, *, name: str | None, sender: Identity, request_id: str) -> Submission:
    """Imports the file as the parent was imported, into the type as it is now. Without a `name` it is called as the
    parent is. It replaces nothing: rows that are not in it have gone in already."""
    rerun = build_rerun(parent, file, name=name, sender=sender, request_id=request_id)
    read = rerun.read
    if file.dialect is not None:
        read = replace(read, format=file.dialect.format, delimiter=file.dialect.delimiter)
    return replace(rerun, read=read, options=narrow_options(rerun.options), relation=Relation.RETRY)


def narrow_options(options: Options) -> Options:
    """For some rows of a file: without what is meant for all of them. A replacement would remove the others."""
    brakes = options.brakes
    if brakes is not None:
        brakes = replace(brakes, **dict.fromkeys(REMOVAL))
    return replace(options, brakes=brakes, replace=False)
