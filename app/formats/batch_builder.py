"""Fills a batch with the records of a delimited file, and decides for each whether it can be read."""

from collections.abc import Sequence

from app.formats.characters import UNSTORABLE, describe_unstorable, escape_unstorable, excerpt
from app.formats.lines import BLANKS
from app.formats.records import Batch, Limits, Position, UnreadableRow
from app.problems import RowError, row_error

STRAY_QUOTES = (
    "{} cells have a quote inside but do not begin with one. Perhaps the delimiter before a quoted cell is missing"
)


class BatchBuilder:
    """Adds records to a batch and counts rows and lines. Text is decoded with `surrogateescape`."""

    def __init__(self, batch: Batch, *, columns: int, limits: Limits, encoding: str) -> None:
        self.batch = batch
        self.line = batch.end.line
        self.row = batch.end.row
        self._columns = columns
        self._limits = limits
        self._encoding = encoding

    def add_records(self, records: Sequence[Sequence[str]], lines: Sequence[int], *, next_line: int) -> None:
        """Records known to be good, and the lines on which they start."""
        self.batch.records.extend(records)
        self.batch.rows.extend(range(self.row + 1, self.row + 1 + len(records)))
        self.batch.lines.extend(lines)
        self.row += len(records)
        self.line = next_line

    def add_record(
        self, cells: list[str], raw: str, *, stray_quotes: int = 0, broken_quote_line: int | None = None
    ) -> None:
        """One record that may be good, with quotes in so many unquoted cells. `broken_quote_line` is set for a record
        after a broken quote: if anything is wrong with it, the quote is to blame."""
        error = self._find_error(cells, raw, stray_quotes)
        if error is None:
            self.row += 1
            self.batch.records.append(cells)
            self.batch.rows.append(self.row)
            self.batch.lines.append(self.line)
        elif broken_quote_line is None:
            self.add_unreadable(error, raw, cells)
        else:
            self.add_unreadable(row_error("after_quote_error", line=broken_quote_line), raw, cells)

    def add_unreadable(self, error: RowError, raw: str, cells: Sequence[str] = ()) -> None:
        self.row += 1
        readable_cells = tuple(escape_unstorable(cell) for cell in cells[: self._limits.columns])
        text = excerpt(raw, self._limits.raw_characters)
        self.batch.unreadable.append(UnreadableRow(self.row, self.line, *error, readable_cells, text))

    def add_blank_rows(self, count: int, first_line: int) -> None:
        """Lines that are not rows, because they hold nothing but delimiters and blanks."""
        self.batch.blank_line = self.batch.blank_line or first_line
        self.batch.blank_rows += count

    def end_at(self, offset: int) -> None:
        """The next record begins at this byte of the file."""
        self.batch.end = Position(offset, self.line, self.row)

    def _find_error(self, cells: list[str], raw: str, stray_quotes: int) -> RowError | None:
        unstorable = UNSTORABLE.search(raw)
        if unstorable:
            return describe_unstorable(raw, unstorable.start(), self._encoding)
        limit = self._limits.cell_characters
        if len(raw) > limit and max(map(len, cells)) > limit:
            return row_error("cell_too_long", limit=limit)
        if stray_quotes > 1:
            return row_error("quote_error", reason=STRAY_QUOTES.format(stray_quotes))
        if len(cells) == self._columns:
            return None
        if len(cells) < self._columns:
            return row_error("missing_cell", found=len(cells), expected=self._columns)
        last = ". The last one is empty" if not cells[-1].strip(BLANKS) else ""
        return row_error("extra_cell", found=len(cells), expected=self._columns, last=last)
