"""Gives the items their filter values, once all files are staged: the links of the files, and in an incremental sync
those that there were before.

It is done in the transaction that goes on to the next step, so that it is repeated as a whole or not at all.
"""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

import msgspec

from app.formats.records import Position
from app.imports.rows import CheckedBatch
from app.storage.catalogue.links import is_any_item_named, load_lists, load_next_links, load_unlinked, split_link
from app.storage.database import Session
from app.syncs.writing.report import LINKS, Counts
from app.syncs.writing.targets import ITEMS, Targets, build_batch, merge_into, prepare

FIRST: Final = ""  # before every key

Lists = Mapping[str, Sequence[str]]


async def link_items(session: Session, targets: Targets, counts: Counts, *, row: int, unlink: bool) -> int:
    """`row` is the number under which records are changed: that of the last row. With `unlink` the files have all links
    that there are to be: items lose the others. Returns how many items keep what they have, because they would be too
    large."""
    if unlink:
        await _unlink_items(session, targets, counts, row)
    after, too_large = FIRST, 0
    while links := await load_next_links(session, targets.run, after=after):
        after = links[-1]
        given = await asyncio.to_thread(group_links, links)
        held = await load_lists(session, targets.run, list(given))
        batch = await asyncio.to_thread(build_lists, given, held, counts, row=row, unlink=unlink)
        too_large += (await merge_into(session, targets.of(ITEMS, flat=False), prepare(batch, ITEMS))).failed
    return too_large


async def _unlink_items(session: Session, targets: Targets, counts: Counts, row: int) -> None:
    """Takes all values from items that have none in the files."""
    after, all_stay = FIRST, not await is_any_item_named(session, targets.run)
    while held := await load_unlinked(session, targets.run, after=after, all_stay=all_stay):
        after = list(held)[-1]
        batch = build_lists(dict.fromkeys(held, ()), held, counts, row=row, unlink=True)
        await merge_into(session, targets.of(ITEMS, flat=False), prepare(batch, ITEMS))


def group_links(links: Sequence[str]) -> Lists:
    """Links in their order -> the values of each item. Blocking."""
    pairs = map(split_link, links)
    return {code: [value for _, value in group] for code, group in groupby(pairs, key=itemgetter(0))}


def build_lists(given: Lists, held: Lists, counts: Counts, *, row: int, unlink: bool) -> CheckedBatch:
    """The items whose list changes. What stays keeps its place; what is new follows. Blocking."""
    records, totals = [], counts.of(LINKS)
    for code, values in given.items():
        before, named = held.get(code, ()), frozenset(values)
        kept = [value for value in before if value in named or not unlink]
        new = named.difference(before)
        totals["removed"] += len(before) - len(kept)
        if new or len(kept) < len(before):
            together = [*kept, *(value for value in values if value in new)]
            data = msgspec.json.encode({"classValues": together}).decode()
            records.append((code, row, 0, data))
    return build_batch(records, Position(row=row - 1))
