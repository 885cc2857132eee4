"""A column that is converted as a whole gives the same as its cells one by one."""

from calendar import monthrange
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.imports.checking.cells import Cells
from app.imports.checking.column_converter import build_converter
from app.imports.plan import Options
from app.mappings.columns import Column
from app.resources.schema import Field, Resource
from app.resources.whole_columns import compile_column
from tests.support.sweeps import examples

WHOLE = st.integers() | st.integers(-(10**1_100), 10**1_100)
NUMBERS = WHOLE | st.decimals(allow_nan=False, allow_infinity=False)
NUMBER_TEXTS = st.from_regex(r"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?") | st.from_regex(r"[-0-9.\0]{1,3}")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FIELDS = [
    Field("n", "integer"), Field("n", "decimal"), Field("n", "text"), Field("n", "boolean"),
    Field("n", "decimal", min=Decimal("-1.5")), Field("n", "integer", max=Decimal(10)),
    Field("n", "text", max_length=3), Field("n", "decimal", kept=True), Field("n", "integer", min=Decimal(0)),
    Field("n", "decimal", min=Decimal(-2), max=Decimal("1.5")), Field("n", "text", alias_of="m"),
    Field("n", "email"), Field("n", "email", max_length=12), Field("n", "phone"), Field("n", "phone", max_length=6),
    Field("n", "phone", lenient=True), Field("n", "url"), Field("n", "url", max_length=12), Field("n", "date"),
    Field("n", "date", lenient=True), Field("n", "datetime"), Field("n", "slug"), Field("n", "list"),
    Field("n", "enum", options=("a", "bc", 'd"', "é", "\\")), Field("n", "enum", options=("a", "bc"), max_length=1),
]  # fmt: skip
PLAIN = {  # nearly all of them whole columns by the type of the field
    "email": r"[a-z.+]{1,3}@[a-z-]{1,3}\.[a-z]{2,3}", "phone": r"\+?[0-9]{4,7}",
    "url": r"https?://[a-z:@]{1,4}(/[ -~]?)?",
    "date": r"(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]", "enum": r"a|bc|d\"|é|\\\\", "boolean": "true|false|yes",
    "text": r"[a-zé\"\n]{0,4}", "integer": "-?[0-9]{1,2}", "decimal": r"-?[0-9](\.[0-9])?",
}  # fmt: skip
EDGES: list[list[object]] = [
    [10**1_000 - 1], [10**1_000], [-(10**999)], [-(10**1_000)], [Decimal("1.50"), 7], [Decimal("1E+3")],
    [Decimal("1E-7")],
    ["1", "-20"], ["1.50", "0"], ["0", "007"], ["-0"], ["1.", "2"], ["1", ""], ["1", " 2"], ["1\0", "2"], ["1\n"],
    ["9" * 1_000], ["9" * 1_001], ["1", "2\x003"], ["-1.5", "11"],
    ["a@b.com", "c.d@e-f.org"], ["a@b.test"], ["a@b.test\0"], ["a@b.com\0c@d.com"], ["a@b--c.de"], ["a@b.com "],
    [f"{'a' * 58}@b.com"], [f"{'a' * 60}@b.com"], [f"{'a' * 65}@b.com"], ["1234", "567890"], ["a@b.com", ""],
    ["+12345", "12345678901234567890"], ["1234"],
    ["123456789012345678901"], ["+1 23 45"], ['1"2345'], ["1\\2345"], ["12345\n"], ["1234\x005"], ["12345", "+"],
    ["https://a.b", "http://c@d:80/e?f"], ["HTTPS://[::1]/"], ["ftp://a"], ["http://a/b c"], ['http://a/"'],
    ["http://a@b@c"], ["http://a:b"], ["http://a\\@b"], ["2024-02-29"], ["2023-02-29"], ["0000-01-01"], ["9999-12-31"],
    ["2024-01-31", "2024-04-31"], ["2024-W01-1"], ["20240101"], ["2024-01-01T10:00:00Z"], [" 2024-01-01"], ["a", "bc"],
    ["a", 'd"'], ["é"], ["\\"], ["true", "false"], ["true", "1"], ["TRUE"], ["\x7f"], ["\x1f"], ["a\tb"], ["\0"],
    ["", ""],
    [" "], ["-1", "1"], ["-2", "1.5"], ["-2.1"], ["1.51"],
    [Decimal("-0")], [Decimal("-0.0")], [Decimal("0.00000001")], [Decimal("3.0")], [True, False], [1, True],
]  # fmt: skip


def alike(field: Field, cells: list[object]) -> None:
    converter = build_converter(Resource("t", keys=("n",), fields=(field,)), Column("n", "n", 0), Options())
    column = Cells(cells, set(map(type, cells)))
    one_by_one = [converter.convert(cell) for cell in cells]
    assert converter.convert_all(column) == one_by_one
    clean = converter.convert_clean(column)
    assert clean is None or list(clean.values) == one_by_one


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: f"{field.type} {field.min} {field.max} {field.max_length}")
class TestAColumn:
    def test_at_the_edges(self, field: Field) -> None:
        for cells in EDGES:
            alike(field, cells)

    @settings(max_examples=examples(40))
    @given(
        cells=st.lists(NUMBER_TEXTS, min_size=1)
        | st.lists(WHOLE, min_size=1)
        | st.lists(NUMBERS, min_size=1)
        | st.lists(TEXT | st.none(), min_size=1)
    )
    def test_of_any_kind(self, field: Field, cells: list[object]) -> None:
        alike(field, cells)

    @settings(max_examples=examples(40))
    @given(data=st.data())
    def test_of_texts_that_nearly_fit(self, field: Field, data: st.DataObject) -> None:
        cells = st.from_regex(PLAIN.get(field.type, "[a-z]{1,3}"), fullmatch=True) | st.text(max_size=2)
        alike(field, data.draw(st.lists(cells, min_size=1, max_size=4)))


@pytest.mark.parametrize("year", [1, 1600, 1900, 1904, 2000, 2023, 2024, 9999])
def test_a_column_of_days_is_that_of_the_calendar(year: int) -> None:
    look = compile_column(Field("n", "date"))
    assert look is not None
    for month in range(14):
        last = monthrange(year, month)[1] if 1 <= month <= 12 else 0
        good = [day for day in range(40) if look([f"{year:04}-{month:02}-{day:02}"])]
        assert good == list(range(1, last + 1))


@pytest.mark.parametrize(
    ("field", "cells"),
    [
        (Field("n", "email"), ["c000001@example.com", "a.b+c@mail.example.org"]),
        (Field("n", "phone"), ["+34600000000", "0123456"]),
        (Field("n", "phone", lenient=True), ["+34 600 000-000", "(01) 23 456"]),
        (Field("n", "url"), ["https://example.com/1?a=b", "http://user@example.org:80"]),
        (Field("n", "date"), ["2024-02-29", "1999-12-31"]),
        (Field("n", "enum", options=("a", "bc")), ["a", "bc", "a"]),
        (Field("n", "text", max_length=9), ["Zoë", "O'Hara", "Żak"]),
        (Field("n", "integer", min=Decimal(0), max=Decimal(9)), ["0", "9"]),
        (Field("n", "decimal", min=Decimal("-0.5")), ["-0.5", "1.50"]),
        (Field("n", "boolean"), ["true", "false"]),
    ],
    ids=lambda value: value.type if isinstance(value, Field) else "",
)
def test_a_usual_column_is_known_to_be_clean(field: Field, cells: list[str]) -> None:
    look = compile_column(field)
    assert look is not None
    assert look(cells)
