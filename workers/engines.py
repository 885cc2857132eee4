"""Which engine works on which kind of run."""

from collections.abc import Mapping
from typing import Final

from app.exports import engine as exports
from app.imports import engine as imports
from app.runs.kinds import Kind
from app.runs.lifecycle import Work
from app.syncs import engine as syncs
from app.undo import engine as undo

ENGINES: Final[Mapping[Kind, Work]] = {
    Kind.IMPORT: imports.work,
    Kind.EXPORT: exports.work,
    Kind.SYNC: syncs.work,
    Kind.UNDO: undo.work,
}
