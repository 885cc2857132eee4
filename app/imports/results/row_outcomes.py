"""Reports what became of each row of an import."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from app.formats import open_reader
from app.formats.records import Reader, Record, UnreadableRow
from app.imports.plan import load_plan
from app.imports.results.reread import (
    CommittedBatch,
    closing_file,
    group_problems,
    load_batches,
    open_import_file,
    reread_rows,
)
from app.problems import Problem
from app.runs import ledger
from app.runs.ledger import Fate
from app.runs.model import Run
from app.runtime import Runtime


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """One row. With `problems` it failed, whatever its `fate` says."""

    record: Record | UnreadableRow
    fate: Fate
    problems: Sequence[Problem]

    @property
    def created(self) -> bool:
        return self.fate.outcome == "created"

    @property
    def superseded(self) -> bool:
        """An import that was accepted later had already written its record."""
        return self.fate.code == "superseded"


async def open_row_outcomes(runtime: Runtime, run: Run) -> AsyncIterator[list[RowOutcome]]:
    """All rows in the order of the file, a batch at a time. Raises Refused("gone") before the first."""
    return read_row_outcomes(runtime, run, await open_import_file(runtime, run))


async def read_row_outcomes(runtime: Runtime, run: Run, file: BinaryIO) -> AsyncIterator[list[RowOutcome]]:
    with closing_file(file):
        reader = await asyncio.to_thread(open_reader, file, load_plan(run).dialect, runtime.limits)
        async for batch in load_batches(runtime, run, only_with_problems=False):
            async with runtime.heavy_reads.turn(run.account_id, begun=True):
                outcomes = await asyncio.to_thread(find_outcomes, reader, batch)
            yield outcomes


def find_outcomes(reader: Reader, batch: CommittedBatch) -> list[RowOutcome]:
    """The rows of one batch in the order of the file. Blocking."""
    problems_of, letters, start = group_problems(batch), ledger.unpack(batch), batch["at_row"] + 1
    return [
        RowOutcome(rows[row], ledger.FATE_OF[letters[row - start]], problems_of.get(row, ()))
        for rows in reread_rows(reader, batch, last_row=batch["at_row"] + len(letters))
        for row in sorted(rows)
    ]
