"""What conversions make of cells, what they refuse, and that an export undoes each of them."""

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mappings.conversions import CONVERSIONS, UnconvertibleCell, compile_conversions, compile_inverse
from app.mappings.mapping import Conversions
from app.mappings.notations.date_formats import TOKENS
from app.resources.schema import Field

TEXT = Field("name", "text")
PRICE = Field("price", "decimal")
DAY = Field("day", "date")
TIME = Field("at", "datetime")
PLAIN = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
PATTERNS = ["DD.MM.YYYY", "D/M/YYYY", "YYYYMMDD", "MM-DD-YY", "YYYY.M.D."]
FIRST = datetime.fromisoformat("1969-01-01T00:00:00")
LAST = datetime.fromisoformat("2068-12-31T00:00:00")
TIMES = [
    "DD.MM.YYYY HH:mm",
    "YYYY-MM-DDTHH:mm:ssZ",
    "M/D/YY h:mm A",
    "YYYYMMDDHHmmss",
    "DD.MM.YYYY 00:00",
    "hh A D.M.YYYY",
]


def convert(conversions: Conversions, field: Field, *texts: str) -> list[Any]:
    """What became of each text; None for one that cannot be converted."""
    column = compile_conversions(conversions, field)
    assert column is not None
    return [None if isinstance(each, UnconvertibleCell) else each for each in column(texts)]


def write(conversions: Conversions, field: Field, *texts: str) -> list[str]:
    column = compile_inverse(conversions, field)
    return list(column(texts) if column else texts)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,5", "1.5"),
        ("1.234,56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1'234,56", "1234.56"),
        ("1’234,5", "1234.5"),
        ("-1.234.567", "-1234567"),
        ("1234", "1234"),
        ("1.000", "1000"),
        (",5", ".5"),
        ("+7,0", "+7.0"),
        (" 2,5 ", "2.5"),
        ("1,5e3", "1.5e3"),
        ("", ""),
        ("  ", "  "),
        ("1.23,4", None),
        ("1,23,4", None),
        ("1.5", None),
        ("0.123", None),
        ("1.2345", None),
        ("1.234 567,0", None),
        ("12345.678", None),
        ("1,234.56", None),
        ("abc", None),
        (",", None),
        ("-", None),
        ("1..234", None),
        ("€ 5,00", None),
    ],
)
def test_a_decimal_comma_is_read_strictly(text: str, number: str | None) -> None:
    assert convert({"decimalComma": True}, PRICE, text) == [number]
    # Beside a cell that has to be looked at alone, and in a column that is read at once.
    assert convert({"decimalComma": True}, PRICE, text, "x", "2,5") == [number, None, "2.5"]
    assert convert({"decimalComma": True}, PRICE, text, "2,5")[1] == "2.5"


@pytest.mark.parametrize(
    ("pattern", "text", "day"),
    [
        ("DD.MM.YYYY", "31.01.2026", "2026-01-31"),
        ("DD.MM.YYYY", " 31.01.2026 ", "2026-01-31"),
        ("DD.MM.YYYY", "1.1.2026", None),
        ("DD.MM.YYYY", "30.02.2026", None),
        ("DD.MM.YYYY", "2026-01-31", None),
        ("DD.MM.YYYY", "31/01/2026", None),
        ("D.M.YYYY", "1.1.2026", "2026-01-01"),
        ("D.M.YYYY", "01.01.2026", "2026-01-01"),
        ("MM/DD/YY", "01/31/68", "2068-01-31"),
        ("MM/DD/YY", "01/31/69", "1969-01-31"),
        ("YYYYMMDD", "20260131", "2026-01-31"),
        ("DD.MM.YYYY", "٣١.01.2026", None),
        ("YYYY-MM-DD 00:00", "2026-01-31 00:00", "2026-01-31"),
        ("D.M.YYYY", "", ""),
    ],
)
def test_a_date_is_read_by_its_pattern_and_by_nothing_else(pattern: str, text: str, day: str | None) -> None:
    assert convert({"dateFormat": pattern}, DAY, text) == [day]


@pytest.mark.parametrize(
    ("pattern", "text", "moment"),
    [
        ("DD.MM.YYYY HH:mm:ss", "31.01.2026 23:59:58", "2026-01-31T23:59:58"),
        ("DD.MM.YYYY H:mm", "31.01.2026 7:05", "2026-01-31T07:05:00"),
        ("M/D/YYYY h:mm A", "1/31/2026 12:05 am", "2026-01-31T00:05:00"),
        ("M/D/YYYY h:mm A", "1/31/2026 12:05 PM", "2026-01-31T12:05:00"),
        ("DD.MM.YYYY", "31.01.2026", "2026-01-31T00:00:00"),
        ("DD.MM.YYYY HH:mm", "31.01.2026 24:00", None),
    ],
)
def test_a_time_is_read_by_its_pattern(pattern: str, text: str, moment: str | None) -> None:
    assert convert({"dateFormat": pattern}, TIME, text) == [moment]


def test_what_cannot_be_converted_says_why() -> None:
    column = compile_conversions({"dateFormat": "DD.MM.YYYY"}, DAY)
    assert column is not None
    (bad,) = column(["31/01/2026"])
    assert isinstance(bad, UnconvertibleCell)
    assert (bad.bad.code, bad.bad.message) == ("type_error", "The value is not a date that looks like `DD.MM.YYYY`")
    assert str(bad) == "31/01/2026"


def test_conversions_are_applied_in_the_order_of_the_table_and_a_listed_value_is_final() -> None:
    asked = {
        "trim": True,
        "case": "lower",
        "default": "keiner",
        "values": {"keiner": "0", "frei": "0.00"},
        "decimalComma": True,
    }
    assert convert(asked, PRICE, " FREI ", "", "  ", "1,5", "x") == ["0.00", "0", "0", "1.5", None]


def test_values_mind_case_and_pass_on_what_is_not_listed() -> None:
    assert convert({"values": {"J": "true", "N": "false"}}, TEXT, "J", "j", "N", "") == ["true", "j", "false", ""]


def test_of_several_spellings_an_export_writes_the_first() -> None:
    asked: Conversions = {"values": {"J": "true", "ja": "true", "N": "false"}}
    assert write(asked, TEXT, "true", "false", "other") == ["J", "N", "other"]


def test_attributes_change_no_text() -> None:
    assert compile_conversions({"nullMarker": "-", "blank": "clear", "separator": ";"}, Field("tags", "list")) is None


ONE_OF_EACH = [
    ({"trim": True}, TEXT),
    ({"case": "lower"}, TEXT),
    ({"case": "upper"}, TEXT),
    ({"default": "none"}, TEXT),
    ({"values": {"J": "true", "ja": "true", "N": "false", "leer": "", "x": "y", "y": "x"}}, TEXT),
]


def test_every_conversion_is_tried() -> None:
    tried = {name for conversions, _ in ONE_OF_EACH for name in conversions} | {"decimalComma", "dateFormat"}
    assert tried | {"nullMarker", "blank", "separator"} == CONVERSIONS.keys()
    assert {part for pattern in [*PATTERNS, *TIMES] for part in TOKENS if part in pattern} == TOKENS.keys()


@pytest.mark.parametrize(("conversions", "field"), ONE_OF_EACH)
@given(text=PLAIN | st.sampled_from(["J", "ja", "N", "leer", "x", "y", "true", "", " "]))
def test_an_export_undoes_a_conversion(conversions: Conversions, field: Field, text: str) -> None:
    value = convert(conversions, field, text)
    assert convert(conversions, field, *write(conversions, field, *value)) == value


@given(
    number=st.decimals(allow_nan=False, allow_infinity=False, places=3) | st.integers(),
    separator=st.sampled_from(["", ".", " ", "'"]),
)
def test_an_export_undoes_a_decimal_comma(number: object, separator: str) -> None:
    asked: Conversions = {"decimalComma": True}
    grouped = f"{number:,}".replace(".", "#").replace(",", separator).replace("#", ",")
    value = convert(asked, PRICE, grouped)
    assert value == [str(number)] or (value == [f"{number:f}"])
    assert convert(asked, PRICE, *write(asked, PRICE, *value)) == value


@pytest.mark.parametrize("pattern", PATTERNS)
@given(day=st.dates(date(1969, 1, 1), date(2068, 12, 31)))
def test_an_export_undoes_a_pattern_of_dates(pattern: str, day: date) -> None:
    asked: Conversions = {"dateFormat": pattern}
    assert convert(asked, DAY, *write(asked, DAY, day.isoformat())) == [day.isoformat()]


@pytest.mark.parametrize("pattern", TIMES)
@given(moment=st.datetimes(FIRST, LAST))
def test_an_export_undoes_a_pattern_of_times_or_leaves_the_value_alone(pattern: str, moment: datetime) -> None:
    """Stored are seconds and more; a pattern without them cannot write them, and must not write another time."""
    asked: Conversions = {"dateFormat": pattern}
    stored = f"{moment.replace(microsecond=0).isoformat()}Z"
    (written,) = write(asked, TIME, stored)
    assert written == stored or convert(asked, TIME, written) == [stored.removesuffix("Z")]
    whole = f"{moment.replace(hour=12, minute=0, second=0, microsecond=0).isoformat()}Z"
    if "H" in pattern or "h" in pattern:
        assert convert(asked, TIME, *write(asked, TIME, whole)) == [whole.removesuffix("Z")]


def test_what_a_pattern_cannot_write_stays_as_it_is() -> None:
    assert write({"dateFormat": "DD.MM.YY"}, DAY, "1950-01-31", "2026-01-31", "") == ["1950-01-31", "31.01.26", ""]
    assert write({"dateFormat": "DD.MM.YYYY"}, TIME, "2026-01-31T10:00:00.5Z") == ["2026-01-31T10:00:00.5Z"]
