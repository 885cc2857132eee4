"""The table of hints: for which problems each is looked for, in which order, and what it says."""

from typing import Final

from app.mappings.conversions import DATES, NUMBERS
from app.mappings.hints.cells import (
    find_date_format,
    find_decimal_comma,
    find_decimal_point,
    find_option,
    find_swapped,
    find_thousands,
    find_words,
)
from app.mappings.hints.hint import Hint
from app.mappings.hints.rows import find_delimiter, find_encoding

WRONG_TYPE: Final = frozenset({"type_error"})

# The first that finds a cure counts.
HINTS: Final[dict[str, Hint]] = {
    "thousands": Hint(
        sentence="Numbers in {columns} have a decimal comma, and points for thousands. Others may have been read with "
        "a decimal point, so import the file again with `decimalComma`",
        codes=WRONG_TYPE,
        types=frozenset({"decimal"}),
        action="importAgain",
        find=find_thousands,
    ),
    "decimalComma": Hint(
        sentence="Numbers in {columns} have a decimal comma. Read them with `decimalComma`",
        codes=WRONG_TYPE,
        types=NUMBERS,
        action="correct",
        find=find_decimal_comma,
    ),
    "decimalPoint": Hint(
        sentence="Numbers in {columns} have a decimal point. Others may have been read as thousands, so import the "
        "file again without `decimalComma`",
        codes=WRONG_TYPE,
        types=NUMBERS,
        action="importAgain",
        find=find_decimal_point,
    ),
    "swapped": Hint(
        sentence="Day and month are swapped in {columns}: dates are written as `{pattern}`. Days up to 12 were read "
        "as months, so import the file again with this `dateFormat`",
        codes=WRONG_TYPE,
        types=DATES,
        action="importAgain",
        find=find_swapped,
    ),
    "dateFormat": Hint(
        sentence="Dates in {columns} are written as `{pattern}`. Read them with this `dateFormat`",
        codes=WRONG_TYPE,
        types=DATES,
        action="correct",
        find=find_date_format,
    ),
    "words": Hint(
        sentence="In {columns} use {pairs}",
        codes=WRONG_TYPE,
        types=frozenset({"boolean"}),
        action="correct",
        find=find_words,
    ),
    "option": Hint(
        sentence="In {columns} use {pairs}",
        codes=frozenset({"not_an_option"}),
        types=frozenset({"enum"}),
        action="correct",
        find=find_option,
    ),
    "encoding": Hint(
        sentence="The file is probably {encoding}, where byte {byte} is `{letter}`. Import it again with "
        "`encoding={encoding}`",
        codes=frozenset({"encoding_error"}),
        action="importAgain",
        find=find_encoding,
    ),
    "delimiter": Hint(
        sentence="`{delimiter}` would give {count} columns, as many as the header has. Separate these rows as the "
        "header is",
        codes=frozenset({"missing_cell", "extra_cell"}),
        find=find_delimiter,
    ),
}
