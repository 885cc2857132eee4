"""Mappings that are as large as they may be, and cells that are made to be slow: each costs milliseconds."""

import time
from collections.abc import Callable

import pytest

from app.errors import Refused
from app.mappings.conversions import compile_conversions
from app.mappings.declaring.declaration import parse_mapping
from app.mappings.declaring.fitting import fit_mapping
from app.mappings.mapping import Conversions
from app.resources.schema import Field, Resource

LONGEST = 131_072  # characters of a cell
CELLS = [
    "1" * LONGEST,
    "0" * LONGEST + "x",
    "1" + ".111" * (LONGEST // 4) + "x",
    "1.1111" * (LONGEST // 6),
    " " * LONGEST + "x",
    "'" * LONGEST,
    "1," + "0" * LONGEST + "x",
    "1e" * (LONGEST // 2),
    "12/" * (LONGEST // 3),
    "1.1." * (LONGEST // 4),
]
CONVERSIONS: list[tuple[Conversions, str]] = [
    ({"decimalComma": True}, "decimal"),
    ({"dateFormat": "D.M.YYYY"}, "date"),
    ({"dateFormat": "h A D/M/YY"}, "datetime"),
    ({"dateFormat": "." * 92 + "D.M.YYYY"}, "date"),
    ({"trim": True, "case": "upper", "values": {f"{number:05}": "x" * 20 for number in range(7_000)}}, "text"),
]


def seconds(work: Callable[[], object]) -> float:
    """The best of three: the machine may be busy with something else."""
    taken = []
    for _ in range(3):
        began = time.thread_time()
        work()
        taken.append(time.thread_time() - began)
    return min(taken)


@pytest.mark.parametrize(("conversions", "type"), CONVERSIONS)
def test_a_cell_that_is_made_to_be_slow_costs_a_few_milliseconds(conversions: Conversions, type: str) -> None:
    convert = compile_conversions(conversions, Field("x", type))
    assert convert is not None
    taken = {cell[:12]: seconds(lambda cell=cell: convert([cell, "1"])) for cell in CELLS}  # type: ignore[misc]
    assert max(taken.values()) < 0.1, taken


def test_a_mapping_as_wide_as_a_file_is_checked_in_a_moment_also_if_all_of_it_is_wrong() -> None:
    wide = Resource("wide", ("f0",), tuple(Field(f"f{number}", "decimal") for number in range(2_000)))
    column = {"decimalComma": True, "default": "0"}
    right = {"columns": [{"column": f"C{number}", "field": f"f{number}", **column} for number in range(2_000)]}
    wrong = {"columns": [{"column": f"C{number}", "field": f"x{number}", **column} for number in range(2_000)]}

    def refuse() -> None:
        with pytest.raises(Refused) as refused:
            fit_mapping(parse_mapping(wrong), wide)
        assert len(refused.value.complaints) == 100
        assert len(refused.value.detail) < 2_000

    assert seconds(lambda: fit_mapping(parse_mapping(right), wide)) < 0.2
    assert seconds(refuse) < 1.5
