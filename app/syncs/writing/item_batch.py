"""Stages a batch of an item file: items, price lists and prices, in one transaction."""

from dataclasses import dataclass

from app.imports.merging.batch_merge import PreparedBatch
from app.imports.rows import BatchOutcome
from app.resources.conversion import quote_json
from app.storage.applying.removal import name_keys
from app.storage.catalogue.sparing import SPARED, spare_items
from app.storage.database import Session
from app.syncs.rows.item_rows import CheckedItems
from app.syncs.writing.repeats import settle_rows
from app.syncs.writing.report import Counts
from app.syncs.writing.targets import (
    ITEMS,
    PRICE_LISTS,
    PRICES,
    Targets,
    build_batch,
    find_changed,
    merge_into,
    prepare,
)


@dataclass(frozen=True, slots=True)
class PreparedItems:
    checked: CheckedItems
    items: PreparedBatch
    prices: PreparedBatch
    lists: PreparedBatch


def prepare_items(checked: CheckedItems) -> PreparedItems:
    """Does what can be done before the transaction. Blocking."""
    lists = [(each, checked.items.start.row + 1, 0, write_list(each)) for each in checked.lists]
    return PreparedItems(
        checked,
        prepare(checked.items, ITEMS),
        prepare(checked.prices, PRICES),
        prepare(build_batch(lists, checked.items.start), PRICE_LISTS),
    )


def write_list(list_id: str) -> str:
    return f'{{"id":"{list_id}","code":"{list_id}","name":{quote_json(f"PriceList {list_id}")}}}'


async def stage_items(session: Session, targets: Targets, prepared: PreparedItems, counts: Counts) -> BatchOutcome:
    """What became of the rows: a row counts as updated if its item or any of its prices has changed."""
    checked = prepared.checked
    items = await merge_into(session, targets.of(ITEMS, flat=checked.is_flat), prepared.items)
    prices = await merge_into(session, targets.of(PRICES), without_rows(prepared, find_failed(checked, items)))
    await merge_into(session, targets.of(PRICE_LISTS), prepared.lists)
    await name_keys(session, targets.of(PRICE_LISTS), prepared.checked.lists)
    if targets.replaces:
        await name_keys(session, targets.of(ITEMS), checked.items.keys)
        await name_keys(session, targets.of(PRICES), checked.prices.keys)
        if checked.failed_codes:
            await spare_items(session, targets.of(ITEMS), targets.of(SPARED), checked.failed_codes)
    counts.add(ITEMS, items, skipped=checked.skipped)
    counts.add(PRICES, prices)
    await settle_rows(session, targets, find_changed([prices]).intersection(items.superseded_rows))
    return sum_up(checked, items, prices)


def find_failed(checked: CheckedItems, items: BatchOutcome) -> set[int]:
    """Rows that failed only when they met their records: what they say of prices counts no more than the rest."""
    if items.failed == checked.items.failed:
        return set()
    return {problem.row for problem in items.problems}.intersection(checked.items.rows)


def without_rows(prepared: PreparedItems, rows: set[int]) -> PreparedBatch:
    """The prices without those of some rows."""
    if not rows:
        return prepared.prices
    prices = prepared.checked.prices
    kept = zip(prices.keys, prices.rows, prices.lines, prices.data, strict=True)
    return prepare(build_batch([each for each in kept if each[1] not in rows], prices.start), PRICES)


def sum_up(checked: CheckedItems, items: BatchOutcome, prices: BatchOutcome) -> BatchOutcome:
    created = set(items.created_rows)
    updated = find_changed([items, prices]) - created - set(items.superseded_rows)
    skipped = checked.skipped + items.skipped
    good = len(checked.items.keys) - (items.failed - checked.items.failed) - items.skipped
    return BatchOutcome(
        created=len(created),
        updated=len(updated),
        unchanged=good - len(created) - len(updated),
        skipped=skipped,
        failed=items.failed,
        problems=items.problems,
        warnings=[each for each in items.warnings if each.code != "duplicate_key"],
        repeated=items.repeated,
    )
