"""Checks the rows of an item file: each becomes an item, and a price for each of its price lists."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

from app.formats.records import Batch
from app.imports.rows import CheckedBatch
from app.mappings.columns import Column
from app.problems import WARNINGS, shorten
from app.resources.conversion import quote_json
from app.resources.field_types import compile_key
from app.resources.schema import Field
from app.runs.summary import RunWarning
from app.syncs.rows.cells import CreatedDates, compile_free_fields, compile_vat, is_zero
from app.syncs.rows.headings import ITEMS, PRICE, find_item_columns
from app.syncs.rows.rules import RowRules

MOST_PRICES: Final = 20_000  # of a batch, so that it stays small in memory
MAY_BE_ZERO: Final = "0-"  # the first characters of a number, as JSON text
read_code = compile_key(Field("itemCode", "text"))


@dataclass(slots=True)
class CheckedItems:
    """A batch of an item file after its rows are checked. `items` has the problems of all rows, `prices` the records
    that follow from good ones. `skipped` rows have no item code. `failed_codes` are the items of bad rows, as far as
    that could be told; `lists` the ids of all price lists that the file has a column for. `is_flat`: no item of the
    batch holds a list or an object."""

    items: CheckedBatch
    prices: CheckedBatch
    lists: tuple[str, ...]
    is_flat: bool = False
    skipped: int = 0
    failed_codes: tuple[str, ...] = ()


class ItemRows:
    """All checks of one item file. Raises Refused("invalid") for a header that cannot be used."""

    def __init__(self, header: Sequence[str], rules: RowRules) -> None:
        found = find_item_columns(header)
        self.unknown, self._code = found.unknown, found.code
        self.lists = tuple(column.field for column in found.prices)
        prices = [replace(each, field=PRICE + each.field, conversions={"blank": "keep"}) for each in found.prices]
        fields = tuple(Field(each.field, "decimal") for each in prices)
        columns = [replace(each, conversions=rules.conversions) for each in found.columns]
        self._dates = CreatedDates()
        self._date_column = next((each for each in columns if each.field == "createdDate"), None)
        self._checker = rules.build_checker(
            replace(ITEMS, fields=ITEMS.fields + fields),
            tuple(header),
            (*map(self._keep_dates, columns), *prices),
            changes={
                "vatIncluded": compile_vat(fills_blanks=rules.blank_cells != "keep"),
                "createdDate": self._dates.convert,
                "freeItemFields": compile_free_fields(
                    deprecated=rules.deprecated_free_fields, hide_caption=rules.hide_caption, trim=rules.trim_values
                ),
            },
            apart=[field.id for field in fields],
        )
        self.is_flat = self._checker.is_flat
        self.max_rows = min(self._checker.max_rows, MOST_PRICES // max(1, len(prices)))

    def check(self, batch: Batch) -> CheckedItems:
        """Never raises for what is in the file. Blocking."""
        skipped = self._skip_rows_without_code(batch)
        items = self._checker.check_batch(batch)
        if skipped:
            row, line = skipped[0]
            message = WARNINGS["no_item_code"]
            items.warnings.append(RunWarning("no_item_code", "", message, row, line, count=len(skipped)))
        self._warn_of_dates(batch, items)
        prices = build_prices(items, self.lists)
        return CheckedItems(items, prices, self.lists, self.is_flat, len(skipped), self._find_failed(batch, items))

    @staticmethod
    def _keep_dates(column: Column) -> Column:
        """A blank date leaves an item's date alone, whatever blank cells do: every item has one."""
        return replace(column, conversions={"blank": "keep"}) if column.field == "createdDate" else column

    def _skip_rows_without_code(self, batch: Batch) -> list[tuple[int, int]]:
        """Takes them out of the batch, and returns their row and line numbers. The other rows get the form of their
        code in which it is a key."""
        at = self._code
        records = cast("Sequence[Sequence[str]]", batch.records)
        codes = [read_code(record[at]) for record in records]
        for index, (code, record) in enumerate(zip(codes, records, strict=True)):
            if code != record[at]:
                batch.records[index] = [*record[:at], code, *record[at + 1 :]]
        if "" not in codes:
            return []
        skipped = [index for index, code in enumerate(codes) if not code]
        places = [(batch.rows[index], batch.lines[index]) for index in skipped]
        kept = [index for index, code in enumerate(codes) if code]
        batch.records = [batch.records[index] for index in kept]
        batch.rows, batch.lines = [batch.rows[index] for index in kept], [batch.lines[index] for index in kept]
        return places

    def _warn_of_dates(self, batch: Batch, items: CheckedBatch) -> None:
        unread = self._dates.take_unread()
        if unread and self._date_column:
            heading, message = shorten(self._date_column.heading), WARNINGS["unread_date"]
            row, line = batch.rows[unread[0]], batch.lines[unread[0]]
            items.warnings.append(RunWarning("unread_date", heading, message, row, line, count=len(unread)))

    def _find_failed(self, batch: Batch, items: CheckedBatch) -> tuple[str, ...]:
        if not items.failed:
            return ()
        good = set(items.rows)
        rows = zip(batch.rows, cast("Sequence[Sequence[str]]", batch.records), strict=True)
        codes = [record[self._code] for row, record in rows if row not in good]
        codes += [row.cells[self._code] for row in batch.unreadable if len(row.cells) > self._code]
        return tuple(dict.fromkeys(filter(None, map(read_code, codes))))


def build_prices(items: CheckedBatch, lists: Sequence[str]) -> CheckedBatch:
    """A record for each price that is neither blank nor zero, with the row of its item. 0.6 µs for each."""
    prices = CheckedBatch(items.start, items.end, items.last)
    if not items.keys:
        return prices
    # JSON text of the codes without the first quote: a key begins before it.
    tails = [quote_json(key)[1:] for key in items.keys]
    every = range(len(tails))
    for list_id, column in zip(lists, items.apart, strict=True):
        cells = column.cells
        given = [at for at in every if (price := cells[at]) and not (price[0] in MAY_BE_ZERO and is_zero(price))]
        head, middle = f'{{"id":"{list_id}:', f',"priceListId":"{list_id}","itemCode":"'
        prices.keys += [f"{list_id}:{items.keys[at]}" for at in given]
        prices.data += [f'{head}{tails[at]}{middle}{tails[at]},"price":{cells[at]}}}' for at in given]
        prices.rows += [items.rows[at] for at in given]
        prices.lines += [items.lines[at] for at in given]
    return prices
