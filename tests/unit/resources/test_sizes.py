"""How large a record is as JSON text, with its numbers written out as the store writes them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.resources.sizes import is_longer, measure_json


@pytest.mark.parametrize("number", ["1e30", "1E+30", "-2.5e-30", "9E30", "0e0"])
def test_a_number_is_measured_as_it_is_written_out(number: str) -> None:
    exponent = abs(int(number.lower().partition("e")[2]))
    assert measure_json(f'{{"x":{number}}}') == len(f'{{"x":{number}}}') + exponent


@given(st.dictionaries(st.text("e10Eé+-", max_size=6), st.text("e10E+-é9", max_size=9) | st.integers(), max_size=9))
def test_whatever_has_no_exponent_has_the_bytes_of_its_text(record: dict[str, object]) -> None:
    text = json.dumps(record, ensure_ascii=False)
    assert measure_json(text) == len(text.encode())
    assert is_longer(text, len(text.encode()) - 1)
    assert not is_longer(text, len(text.encode()))
