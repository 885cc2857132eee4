"""Stages a batch of a filter file: classes, values, and links of items to values, in one transaction."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.imports.merging.batch_merge import PreparedBatch
from app.imports.rows import BatchOutcome
from app.problems import PROBLEMS, Problem, shorten
from app.resources.conversion import quote_json
from app.storage.applying.removal import name_keys
from app.storage.catalogue.links import EVERY, HELD, NEW, find_unknown_items, stage_links
from app.storage.database import Session
from app.syncs.rows.filter_rows import CheckedFilters
from app.syncs.writing.repeats import settle_rows
from app.syncs.writing.report import LINKS, Counts
from app.syncs.writing.targets import (
    CLASSES,
    ITEMS,
    VALUES,
    Targets,
    build_batch,
    find_changed,
    merge_into,
    prepare,
)

UNKNOWN_ITEM = PROBLEMS["unknown_reference"].format(type=ITEMS, by="key")


@dataclass(frozen=True, slots=True)
class GoodRows:
    """Rows of a batch whose items are known, as indexes; and a batch each of their classes and values."""

    indexes: Sequence[int]
    classes: PreparedBatch
    values: PreparedBatch


async def stage_filters(session: Session, targets: Targets, checked: CheckedFilters, counts: Counts) -> BatchOutcome:
    """What became of the rows: a row counts as created if it adds a link or a value, and as updated if it changes the
    order of a value."""
    named = list(dict.fromkeys(filter(None, checked.codes)))
    unknown = await find_unknown_items(session, targets.run, named, replaces=targets.replaces) if named else set()
    good = await asyncio.to_thread(prepare_good, checked, unknown)
    values = await merge_values(session, targets, good, counts)
    links = collect_links(checked, good.indexes)
    new = await stage_links(session, targets.run, links, which=EVERY if targets.replaces else NEW)
    counts.of(LINKS)["added"] += len(new)
    counts.of(LINKS)["unchanged"] += len(links) - len(new)
    if targets.replaces:
        await spare_failed(session, targets, checked, unknown)
    outcome = sum_up(checked, good.indexes, unknown)
    created = {links[link] for link in new} | set(values.created_rows)
    changed = find_changed([values])
    outcome.created, outcome.updated = len(created), len(changed - created)
    await settle_rows(session, targets, changed & created)
    outcome.unchanged = len(good.indexes) - outcome.created - outcome.updated
    counts.of(LINKS)["failed"] += outcome.failed
    counts.of(LINKS)["skipped"] += outcome.skipped
    return outcome


def prepare_good(checked: CheckedFilters, unknown: Collection[str]) -> GoodRows:
    """A value that several rows name is what the last of them says. Blocking."""
    rows = checked.values
    indexes = [index for index, code in enumerate(checked.codes) if code not in unknown]
    values = {rows.keys[index]: index for index in indexes}
    classes = {checked.classes[index]: index for index in indexes}
    of_values = [(key, rows.rows[at], rows.lines[at], rows.data[at]) for key, at in values.items()]
    of_classes = [(key, rows.rows[at], rows.lines[at], write_class(key)) for key, at in classes.items()]
    return GoodRows(
        indexes,
        prepare(build_batch(of_classes, rows.start), CLASSES),
        prepare(build_batch(of_values, rows.start), VALUES),
    )


def write_class(name: str) -> str:
    return f'{{"name":{quote_json(name)}}}'


async def merge_values(session: Session, targets: Targets, good: GoodRows, counts: Counts) -> BatchOutcome:
    """Merges the classes, and the values, of which it returns the outcome."""
    counts.add(CLASSES, await merge_into(session, targets.of(CLASSES), good.classes))
    values = await merge_into(session, targets.of(VALUES), good.values)
    counts.add(VALUES, values)
    for named, prepared in ((CLASSES, good.classes), (VALUES, good.values)):
        await name_keys(session, targets.of(named), prepared.checked.keys)
    return values


def collect_links(checked: CheckedFilters, indexes: Sequence[int]) -> dict[tuple[str, str], int]:
    """(item, value) -> the number of the first row that has it."""
    rows, codes = checked.values, checked.codes
    return {(codes[at], rows.keys[at]): rows.rows[at] for at in reversed(indexes) if codes[at]}


async def spare_failed(session: Session, targets: Targets, checked: CheckedFilters, unknown: Collection[str]) -> None:
    """What bad rows name stays as it is: classes, values, and the links that there are."""
    rows = checked.values
    of_unknown = zip(checked.codes, checked.classes, rows.keys, strict=True)
    failed = checked.failed + [each for each in of_unknown if each[0] in unknown]
    if failed:
        await name_keys(session, targets.of(CLASSES), {each[1] for each in failed})
        await name_keys(session, targets.of(VALUES), {each[2] for each in failed})
        await stage_links(session, targets.run, {(code, key) for code, _, key in failed if code}, which=HELD)


def sum_up(checked: CheckedFilters, good: Sequence[int], unknown: Collection[str]) -> BatchOutcome:
    """The outcome without what good rows come to."""
    rows = checked.values
    problems = rows.problems + [
        build_problem(checked, index) for index, code in enumerate(checked.codes) if code in unknown
    ]
    failed = rows.failed + len(checked.codes) - len(good)
    return BatchOutcome(skipped=checked.skipped, failed=failed, problems=problems, warnings=list(rows.warnings))


def build_problem(checked: CheckedFilters, index: int) -> Problem:
    code = checked.codes[index]
    return Problem(
        line=checked.values.lines[index],
        row=checked.values.rows[index],
        column="ItemCode",
        field="itemCode",
        code="unknown_reference",
        message=UNKNOWN_ITEM,
        value=shorten(code),
        key=shorten(checked.values.keys[index]),
    )
