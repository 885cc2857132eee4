"""Explains why a header was refused: which headings were found, and which delimiter or encoding would fit better."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from app.errors import Complaint, Refused, describe
from app.formats.characters import UNSTORABLE, spell_heading
from app.formats.detection.separator_line import read_separator_line
from app.formats.records import Dialect
from app.formats.sniff import DELIMITERS, sniff_delimiter
from app.mappings.columns import MOST_DESCRIBED
from app.mappings.hints.rows import guess_western
from app.resources.schema import Field

FindField = Callable[[str], Field | None]  # heading -> field

SHOWN_HEADINGS: Final = 20
MOST_HEADINGS: Final = 2_000  # are compared with the type's fields
ZEROS_WITHIN: Final = 512  # bytes
DELIMITER_WORDS: Final = {
    ",": ("commas", "comma"),
    ";": ("semicolons", "semicolon"),
    "\t": ("tabs", "tab"),
    "|": ("vertical bars", "pipe"),
}
_UTF7 = re.compile(r"\+[A-Za-z0-9+/]*-")


@dataclass(frozen=True, slots=True)
class FileStart:
    """The beginning of a stored file, and how it was going to be read. `prescribed`: the caller had no choice. `rerun`:
    it is read as an earlier file was."""

    head: bytes
    dialect: Dialect
    prescribed: bool
    rerun: bool = False


def explain_refusal(refused: Refused, start: FileStart, find_field: FindField) -> Refused:
    """The refusal of a header, with what was found in it and what would help."""
    if start.dialect.format != "csv" or refused.code == "empty_file":
        return refused
    if not start.dialect.has_header or start.dialect.columns:
        return refused
    header = HeaderText(start, find_field)
    advice = [header.describe(), *header.advise_delimiter(), *header.advise_encoding()]
    detail = describe([*refused.complaints[:MOST_DESCRIBED], *advice])
    return Refused(refused.code, detail, [*refused.complaints, *advice])


class HeaderText:
    """The header as text, to be read in other ways than was asked."""

    def __init__(self, start: FileStart, find_field: FindField) -> None:
        self._find_field = find_field
        self._dialect, self._prescribed, self._rerun = start.dialect, start.prescribed, start.rerun
        data = start.head.lstrip(b"\r\n")
        line = read_separator_line(data)
        self._data = data[line.size :].lstrip(b"\r\n") if line else data
        self._text = self._data.decode("utf-8", "surrogateescape")
        self._headings = _split(self._text, start.dialect.delimiter)
        self._known = self._count_known(self._headings)

    def describe(self) -> Complaint:
        shown = [f"`{spell_heading(each)}`" for each in self._headings[:SHOWN_HEADINGS]]
        more = len(self._headings) - len(shown)
        listed = ", ".join(shown) + (f" and {more} more" if more else "")
        count = "one heading" if len(self._headings) == 1 else f"{len(self._headings)} headings"
        return Complaint("file", f"The header has {count}: {listed}")

    def advise_delimiter(self) -> Iterator[Complaint]:
        fitting = self._find_delimiter()
        if fitting is None:
            return
        (name, word), (needed, _) = DELIMITER_WORDS[fitting], DELIMITER_WORDS[self._dialect.delimiter]
        fixed = self._prescribed or self._rerun
        remedy = (
            f"Separate it by {needed}" if fixed else f"Send `delimiter={word}`, or `delimiter=auto` to have it found"
        )
        shown, count = "tab" if fitting == "\t" else fitting, len(_split(self._text, fitting))
        yield Complaint(
            "delimiter",
            f"`{shown}` would give {count:,} columns. The file looks separated by {name}, but was read as separated by "
            f"{needed}. {remedy}",
            None if fixed else read_with("delimiter", word),
        )

    def _find_delimiter(self) -> str | None:
        """A delimiter other than the dialect's that makes more headings known, or else that cuts a header which is in
        one piece."""
        others = [each for each in DELIMITERS if each != self._dialect.delimiter]
        best = max(others, key=lambda each: self._count_known(_split(self._text, each)))
        if self._is_better(self._text, best):
            return best
        sniffed = sniff_delimiter(self._data)
        in_one_piece = len(self._headings) == 1 and not self._known
        return sniffed if in_one_piece and sniffed in others and len(_split(self._text, sniffed)) > 1 else None

    def advise_encoding(self) -> Iterator[Complaint]:
        header = self._dialect.delimiter.join(self._headings)
        encoding = self._dialect.encoding
        if b"\0" in self._data[:ZEROS_WITHIN]:
            reason = "The file has zero bytes. If the file is UTF-16, send `encoding=utf-16`"
            yield Complaint("encoding", reason, read_with("encoding", "utf-16"))
        elif encoding == "utf-8" and UNSTORABLE.search(header):
            remedy = (
                "Save the file as UTF-8, or start a new import with its encoding"
                if self._rerun
                else "Send the file's encoding, such as `encoding=windows-1252`"
            )
            western = None if self._rerun else guess_western(header)
            yield Complaint(
                "encoding", f"The header is not UTF-8. {remedy}", read_with("encoding", western) if western else None
            )
        elif not encoding.startswith("utf") and not header.isascii() and _decode(header, encoding, "utf-8"):
            reason = "The header is UTF-8. Send `encoding=utf-8`"
            yield Complaint("encoding", reason, read_with("encoding", "utf-8"))
        elif _UTF7.search(header) and self._is_better(_decode(header, encoding, "utf-7")):
            yield Complaint("encoding", "The header looks like UTF-7, which cannot be read. Save the file as UTF-8")

    def _is_better(self, text: str, delimiter: str | None = None) -> bool:
        """Whether more headings are known if the header is this text, or is cut by this delimiter."""
        return self._count_known(_split(text, delimiter or self._dialect.delimiter)) > self._known

    def _count_known(self, headings: list[str]) -> int:
        return sum(self._find_field(each.strip()) is not None for each in headings[:MOST_HEADINGS])


def _split(text: str, delimiter: str) -> list[str]:
    """The first record. Not strict: a broken quote must not hide the headings."""
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []


def _decode(text: str, encoding: str, other: str) -> str:
    """The text as it would be in another encoding; "" if it is the same, or cannot be."""
    try:
        decoded = text.encode(encoding, "surrogateescape").decode(other)
    except UnicodeError:
        return ""
    return "" if decoded == text else decoded


def read_with(option: str, value: str) -> dict[str, object]:
    """A fix: import the file again with this option."""
    return {"action": "importAgain", "options": {option: value}}
