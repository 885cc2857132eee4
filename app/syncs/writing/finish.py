"""What follows the last row of a sync: links and defaults, what would be removed, brakes, and the step after it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from app.imports.staged.counts import ensure_counts
from app.problems import WARNINGS
from app.runs.holding.brakes import Brakes, Tally, find_tripped
from app.runs.lifecycle import announce_held, hold_run
from app.runs.model import Run
from app.runs.states import State
from app.runs.summary import RunWarning, add_warnings
from app.storage import batches
from app.storage.applying import removal
from app.storage.applying.apply import list_ranges
from app.storage.catalogue.naming import count_named
from app.storage.catalogue.new_items import complete_new_items
from app.storage.catalogue.sparing import spare_prices
from app.storage.database import Session
from app.storage.overlays.view import use_indexes
from app.syncs.files import Role
from app.syncs.report import SyncReport, report_to_json
from app.syncs.rows.cells import VAT_EXCLUDED
from app.syncs.settings import SyncSettings
from app.syncs.steps import DRY_RUN, go_on
from app.syncs.writing.linking import link_items
from app.syncs.writing.reading import Reading
from app.syncs.writing.repeats import restore_repeated
from app.syncs.writing.report import ROWS, Counts
from app.syncs.writing.slice import SyncSlice
from app.syncs.writing.targets import CLASSES, ITEMS, PRICE_LISTS, PRICES, TYPES, VALUES, Targets

# What is removed because no row names it, if any row of the files with this role is good.
REMOVABLE: Final[Mapping[str, Role]] = {
    ITEMS: Role.ITEMS,
    PRICES: Role.ITEMS,
    PRICE_LISTS: Role.ITEMS,
    CLASSES: Role.FILTERS,
    VALUES: Role.FILTERS,
}
# Of these few records the run keeps the keys that its rows name: many rows name one.
KEPT: Final = frozenset({PRICE_LISTS, CLASSES, VALUES})

# The brakes that count rows, and those that count records.
OF_ROWS: Final = ("max_errors", "max_error_share", "min_rows")
OF_RECORDS: Final = ("max_created", "max_updated", "max_removed", "max_removed_share")


async def finish_writing(slice_: SyncSlice, settings: SyncSettings) -> None:
    """Lets the overlay be applied, or holds the run: it was to be planned only, or a brake has stopped it.

    Raises RunLost, and Fatal if the counts do not add up.
    """
    runtime, run, targets, counts = slice_.runtime, slice_.run, slice_.targets, slice_.counts
    async with runtime.database.transaction() as session:
        await use_indexes(session)
        row = await ensure_counts(session, run)
        await restore_repeated(session, run, targets, counts)
        good = await count_rows(session, run.id, slice_.report, slice_.reading)
        removable = find_removable(targets, good)
        too_large = await link_items(session, targets, counts, row=max(1, row["total"]), unlink=CLASSES in removable)
        warn_of_links(slice_.warnings, too_large)
        await complete_new_items(session, targets.run, build_defaults(run))
        if targets.replaces:
            await spare_prices(session, targets.of(PRICES))
        await count_changes(session, targets, counts, removable)
        slice_.report.entities = counts.entities
        removed = counts.of(ITEMS)["removed"] if targets.replaces else None
        told = {"report": report_to_json(slice_.report), "warnings": slice_.warnings}
        await go_on(session, run, {**told, "removed": removed})
        tally = Tally(row["total"], row["failed"])
        tripped = await describe_breaches(session, targets, settings.brakes, counts, tally)
        held = None
        if run.options.get(DRY_RUN):
            code, detail = ("brake", tripped) if tripped else (None, None)
            held = await hold_run(session, run.id, run.attempt, State.PLANNED, code=code, detail=detail)
        elif tripped:
            held = await hold_run(session, run.id, run.attempt, State.HALTED, code="brake", detail=tripped)
    slice_.report_step("written")
    announce_held(runtime, held)


def warn_of_links(warnings: list[dict[str, Any]], items: int) -> None:
    if items:
        code = "too_many_links"
        add_warnings(warnings, [RunWarning(code, "", WARNINGS[code], count=items)])


async def count_rows(session: Session, run_id: str, report: SyncReport, reading: Reading) -> Mapping[Role, int]:
    """How many rows were good, by the role of their file. Notes in the report what has become of each file's rows."""
    good = dict.fromkeys(Role, 0)
    files = {file.path: file for file in report.files}
    sums = await batches.sums_until(session, run_id, [file.end.offset for file in reading])
    for file, counted in zip(reading, sums, strict=True):
        files[file.path].rows = {name: counted[name] for name in ROWS}
        good[file.role] += counted["created"] + counted["updated"] + counted["unchanged"]
    return good


def find_removable(targets: Targets, good: Mapping[Role, int]) -> frozenset[str]:
    """The types of which a full sync removes what no row has named. Files without a good row empty nothing."""
    if not targets.replaces:
        return frozenset()
    return frozenset(type_ for type_, role in REMOVABLE.items() if good[role])


def build_defaults(run: Run) -> str:
    """What a new item gets where its rows do not say it: the time of the sync, to the second."""
    created = run.created_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return msgspec.json.encode({"createdDate": created, "vatIncluded": VAT_EXCLUDED}).decode()


async def count_changes(session: Session, targets: Targets, counts: Counts, removable: frozenset[str]) -> None:
    """Replaces what was counted batch by batch: a record that two rows name has one outcome."""
    for each in TYPES:
        target, found = targets.of(each), counts.of(each)
        ranges = await list_ranges(session, target)
        found["added"], found["changed"] = sum(part.created for part in ranges), sum(part.updated for part in ranges)
        if each in KEPT:
            found["unchanged"] = await count_named(session, target) - found["added"] - found["changed"]
        found["removed"] = await removal.count_unnamed(session, target) if each in removable else 0


async def find_breaches(
    session: Session, targets: Targets, brakes: Brakes, counts: Counts, tally: Tally, *, applied: bool = False
) -> AsyncIterator[str]:
    """What each brake that stops the run says: those of rows once, those of records for each type. `applied`: the
    overlay is in the records already."""
    if tripped := find_tripped(replace(brakes, **dict.fromkeys(OF_RECORDS)), tally):
        yield tripped
    of_records = replace(brakes, **dict.fromkeys(OF_ROWS))
    for each in TYPES:
        found = counts.of(each)
        stored = await removal.count_stored(session, targets.of(each)) if found["removed"] else 0
        stored += found["removed"] - found["added"] if applied else 0
        tally_of_type = replace(
            tally, created=found["added"], updated=found["changed"], removed=found["removed"], stored=stored
        )
        if tripped := find_tripped(of_records, tally_of_type):
            yield f"For `{each}`, {tripped[:1].lower()}{tripped[1:]}"


async def describe_breaches(
    session: Session, targets: Targets, brakes: Brakes, counts: Counts, tally: Tally, *, applied: bool = False
) -> str:
    """The same as one text, which is empty if no brake stops the run."""
    found = find_breaches(session, targets, brakes, counts, tally, applied=applied)
    return ". ".join([each async for each in found])
