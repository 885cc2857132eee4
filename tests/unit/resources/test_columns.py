"""A column that is converted as a whole gives the same as its cells one by one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imports.checking.cells import Cells
from app.imports.checking.column_converter import build_converter
from app.imports.plan import Options
from app.mappings.columns import Column
from app.resources.schema import Field, Resource

WHOLE = st.integers() | st.integers(-(10**1_100), 10**1_100)
NUMBERS = WHOLE | st.decimals(allow_nan=False, allow_infinity=False)
NUMBER_TEXTS = st.from_regex(r"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?") | st.from_regex(r"[-0-9.\0]{1,3}")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FIELDS = [
    Field("n", "integer"), Field("n", "decimal"), Field("n", "text"), Field("n", "boolean"),
    Field("n", "decimal", min=Decimal("-1.5")), Field("n", "integer", max=Decimal(10)),
    Field("n", "text", max_length=3), Field("n", "decimal", kept=True),
]  # fmt: skip
EDGES = [
    [10**1_000 - 1], [10**1_000], [-(10**999)], [-(10**1_000)], [Decimal("1.50"), 7], [Decimal("1E+3")],
    [Decimal("1E-7")],
    ["1", "-20"], ["1.50", "0"], ["0", "007"], ["-0"], ["1.", "2"], ["1", ""], ["1", " 2"], ["1\0", "2"], ["1\n"],
    ["9" * 1_000], ["9" * 1_001], ["1", "2\x003"], ["-1.5", "11"],
    [Decimal("-0")], [Decimal("-0.0")], [Decimal("0.00000001")], [Decimal("3.0")], [True, False], [1, True],
]  # fmt: skip


def alike(field: Field, cells: list[object]) -> None:
    converter = build_converter(Resource("t", keys=("n",), fields=(field,)), Column("n", "n", 0), Options())
    column = Cells(cells, set(map(type, cells)))
    one_by_one = [converter.convert(cell) for cell in cells]
    assert converter.convert_all(column) == one_by_one
    clean = converter.convert_clean(column)
    assert clean is None or clean == one_by_one
    assert clean is None or all(isinstance(value, str) and value for value in clean)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: f"{field.type} {field.min} {field.max}")
class TestAColumn:
    @pytest.mark.parametrize("cells", EDGES, ids=lambda cells: str(cells)[:20])
    def test_at_the_edges(self, field: Field, cells: list[object]) -> None:
        alike(field, cells)

    @given(
        cells=st.lists(NUMBER_TEXTS, min_size=1)
        | st.lists(WHOLE, min_size=1)
        | st.lists(NUMBERS, min_size=1)
        | st.lists(TEXT | st.none(), min_size=1)
    )
    def test_of_any_kind(self, field: Field, cells: list[object]) -> None:
        alike(field, cells)
