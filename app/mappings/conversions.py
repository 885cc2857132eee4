"""What may be done to the cells of a column before its field reads them, and how an export undoes it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from app.errors import join_choices
from app.formats.characters import UNSTORABLE
from app.mappings.mapping import Conversions
from app.mappings.notations import decimal_commas
from app.mappings.notations.date_formats import BadPattern, compile_pattern, has_time
from app.resources.conversion import BadCell, type_error
from app.resources.schema import Field

LONGEST_TEXT: Final = 1_000  # characters of a value, a default
LONGEST_MARKER: Final = 255
LONGEST_SEPARATOR: Final = 5
NUMBERS: Final = frozenset({"integer", "decimal"})
DATES: Final = frozenset({"date", "datetime"})
LISTS: Final = frozenset({"list"})
CASES: Final = {"lower": str.lower, "upper": str.upper}
BLANKS: Final = ("keep", "clear", "empty")
MOST_KNOWN: Final = 65_536  # different texts of a column that are remembered

Converted = TypeVar("Converted")


@dataclass(frozen=True, slots=True)
class UnconvertibleCell:
    """Stands for a cell whose text cannot be converted, with the reason."""

    text: str
    bad: BadCell

    def __str__(self) -> str:
        return self.text


# Takes the texts of a whole column and gives as many. Text that is blank stays so, unless there is a default.
ConvertColumn = Callable[[Sequence[str]], Sequence[str | UnconvertibleCell]]
# The same on the way out. What has no spelling stays as it is: sent back, it fails its row and changes nothing.
WriteColumn = Callable[[Sequence[str]], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One conversion. `find_mistake` says what is wrong with its value, as a text that goes on from its name, or None.
    `types` are those of the fields that it is for; None means all.

    `compile` takes the value, the field and the conversions that follow; those without one are attributes that the
    converter of the field reads. `invert` takes the value, the field and what writes the texts that it has no
    spelling for.
    """

    description: str
    find_mistake: Callable[[Any], str | None]
    types: frozenset[str] | None = None
    compile: Callable[[Any, Field, ConvertColumn], ConvertColumn] | None = None
    invert: Callable[[Any, Field, WriteColumn], WriteColumn] | None = None


def compile_conversions(conversions: Conversions, field: Field) -> ConvertColumn | None:
    """All conversions of a column as one, in the order of CONVERSIONS. None if no text changes."""
    convert: ConvertColumn | None = None
    for name, conversion in reversed(CONVERSIONS.items()):
        if name in conversions and conversion.compile is not None:
            convert = conversion.compile(conversions[name], field, convert or list)
    return convert


def compile_inverse(conversions: Conversions, field: Field) -> WriteColumn | None:
    """What undoes `compile_conversions` for every text that it can give. None if no text changes."""
    write: WriteColumn | None = None
    for name, conversion in reversed(CONVERSIONS.items()):
        if name in conversions and conversion.invert is not None:
            write = conversion.invert(conversions[name], field, write or list)
    return write


def is_blank(text: str) -> bool:
    return not text or text.isspace()


def compile_trim(_value: bool, _field: Field, then: ConvertColumn) -> ConvertColumn:
    return lambda texts: then([text.strip() for text in texts])


def compile_case(value: str, _field: Field, then: ConvertColumn) -> ConvertColumn:
    change = CASES[value]
    return lambda texts: then(list(map(change, texts)))


def compile_default(value: str, _field: Field, then: ConvertColumn) -> ConvertColumn:
    return lambda texts: then([value if is_blank(text) else text for text in texts])


def compile_values(value: dict[str, str], _field: Field, then: ConvertColumn) -> ConvertColumn:
    """What is listed becomes its value, and nothing else is done to it. What is not goes on to what follows."""
    find = value.get

    def convert(texts: Sequence[str]) -> Sequence[str | UnconvertibleCell]:
        found = list(map(find, texts))
        rest = iter(then([text for text, listed in zip(texts, found, strict=True) if listed is None]))
        return [next(rest) if listed is None else listed for listed in found]

    return convert


def invert_values(value: dict[str, str], _field: Field, write: WriteColumn) -> WriteColumn:
    """Of several spellings the first counts."""
    spellings = {listed: text for text, listed in reversed(value.items())}

    def convert(texts: Sequence[str]) -> Sequence[str]:
        rest = iter(write([text for text in texts if text not in spellings]))
        return [spellings[text] if text in spellings else next(rest) for text in texts]

    return convert


def compile_decimal_comma(_value: bool, _field: Field, then: ConvertColumn) -> ConvertColumn:
    def convert(texts: Sequence[str]) -> Sequence[str | UnconvertibleCell]:
        read = decimal_commas.read_column(texts)
        if read is not None:
            return then(read)
        return [_read_one(decimal_commas.read_number, decimal_commas.NOT_A_NUMBER, text) for text in texts]

    return convert


def invert_decimal_comma(_value: bool, _field: Field, _write: WriteColumn) -> WriteColumn:
    return lambda texts: [text.replace(".", ",") for text in texts]


def compile_date_format(value: str, field: Field, _then: ConvertColumn) -> ConvertColumn:
    read = compile_pattern(value, timed=field.type == "datetime").read
    wrong = type_error(f"The value is not a date that looks like `{value}`")
    return convert_once(lambda text: _read_one(read, wrong, text))


def invert_date_format(value: str, field: Field, _write: WriteColumn) -> WriteColumn:
    write = compile_pattern(value, timed=field.type == "datetime").write
    return convert_once(lambda text: write(text) or text)


def convert_once(convert: Callable[[str], Converted]) -> Callable[[Sequence[str]], Sequence[Converted]]:
    """For columns of few different texts, such as days: each is converted once."""
    known: dict[str, Converted] = {}

    def convert_column(texts: Sequence[str]) -> Sequence[Converted]:
        new = set(texts).difference(known)
        if len(known) + len(new) > MOST_KNOWN:
            known.clear()
            new = set(texts)
        known.update({text: convert(text) for text in new})
        return list(map(known.__getitem__, texts))

    return convert_column


def _read_one(read: Callable[[str], str | None], wrong: BadCell, text: str) -> str | UnconvertibleCell:
    converted = text if is_blank(text) else read(text)
    return UnconvertibleCell(text, wrong) if converted is None else converted


def find_mistake_of_flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def must_be_one_of(choices: Sequence[str]) -> Callable[[object], str | None]:
    reason = f"must be {join_choices(choices)}"
    return lambda value: None if isinstance(value, str) and value in choices else reason


def must_be_text(most: int, *, blank: bool = True) -> Callable[[object], str | None]:
    """Text of 1 to `most` characters that can be stored; with `blank`, white space will do."""
    reason = f"must be text of 1 to {most:,} characters"

    def find_mistake(value: object) -> str | None:
        if not isinstance(value, str) or not 0 < len(value) <= most or UNSTORABLE.search(value):
            return reason
        return None if blank or not value.isspace() else "must not be blank"

    return find_mistake


def find_mistake_of_pattern(value: object) -> str | None:
    if not isinstance(value, str):
        return "must be a pattern such as DD.MM.YYYY"
    try:
        compile_pattern(value, timed=True)
    except BadPattern as bad:
        return str(bad)
    return None


def find_mistake_of_values(value: object) -> str | None:
    if not isinstance(value, dict):
        return "must be an object with a text for each text of the file"
    wrong_text, wrong_name = must_be_text(LONGEST_TEXT), must_be_text(LONGEST_TEXT, blank=False)
    if any(wrong_name(text) for text in value):
        return f"must have names of 1 to {LONGEST_TEXT:,} characters that are not blank. Blank cells take `default`"
    if any((listed and wrong_text(listed)) or not isinstance(listed, str) for listed in value.values()):
        return f"must have texts of at most {LONGEST_TEXT:,} characters as its values"
    return None


def find_mistake_of_separator(value: object) -> str | None:
    usable = isinstance(value, str) and 0 < len(value) <= LONGEST_SEPARATOR and value.isprintable()
    return None if usable else f"must be 1 to {LONGEST_SEPARATOR} printable characters"


# In the order in which they are applied.
CONVERSIONS: Final[dict[str, Conversion]] = {
    "nullMarker": Conversion(
        description="A cell with this text leaves its field as it is",
        find_mistake=must_be_text(LONGEST_MARKER),
    ),
    "trim": Conversion(
        description="Takes white space from both ends",
        find_mistake=find_mistake_of_flag,
        compile=compile_trim,
    ),
    "case": Conversion(
        description="`lower` or `upper`: writes all letters so",
        find_mistake=must_be_one_of(tuple(CASES)),
        compile=compile_case,
    ),
    "blank": Conversion(
        description="What a blank cell does: `keep`, `clear` or `empty`, as `blankCells` for the whole import",
        find_mistake=must_be_one_of(BLANKS),
    ),
    "default": Conversion(
        description="What a blank cell is taken for, written as the file would have it",
        find_mistake=must_be_text(LONGEST_TEXT, blank=False),
        compile=compile_default,
    ),
    "values": Conversion(
        description="What single texts stand for, as an object. Upper and lower case differ. A text that is not listed "
        "stays as it is, and the field checks it",
        find_mistake=find_mistake_of_values,
        compile=compile_values,
        invert=invert_values,
    ),
    "decimalComma": Conversion(
        description="Reads a comma as decimal sign; points, blanks and apostrophes may separate the thousands",
        find_mistake=find_mistake_of_flag,
        types=NUMBERS,
        compile=compile_decimal_comma,
        invert=invert_decimal_comma,
    ),
    "dateFormat": Conversion(
        description="The pattern by which dates are written, such as `DD.MM.YYYY`",
        find_mistake=find_mistake_of_pattern,
        types=DATES,
        compile=compile_date_format,
        invert=invert_date_format,
    ),
    "separator": Conversion(
        description="What separates the items of a list, in place of what the field declares",
        find_mistake=find_mistake_of_separator,
        types=LISTS,
    ),
}


def find_misfit(name: str, value: Any, field: Field) -> str | None:
    """Why a valid conversion does not fit a field, as a text that goes on from its name; None if it does."""
    types = CONVERSIONS[name].types
    if types is not None and field.type not in types:
        return f"is not allowed for `{field.id}`, a field of type {field.type}"
    if name == "dateFormat" and field.type == "date" and has_time(value):
        return f"must have no time of day, because `{field.id}` is a field of type date"
    return None
