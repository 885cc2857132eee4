"""What must hold for every possible cell, tried with random texts."""

import json
from decimal import Decimal

import pytest
from email_validator import validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.resources import email
from app.resources.field_types import TYPES, BadCell, compile_cell, compile_value, normalize_key
from app.resources.schema import Field
from app.resources.slugs import make_slug
from tests.support.sweeps import examples

FIELDS = [Field("x", name, options=("a", "b") if name == "enum" else (), separator="|") for name in TYPES]
# As readers hand them on: no NUL, no lone surrogate.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
# Texts that are nearly right, for which the conversions look closest.
NEARLY = st.one_of(
    TEXTS,
    st.text("0123456789+-.eE ", max_size=12),
    st.text("0123456789-:T.Z+ ", max_size=25),
    st.text('{}[]",:0123456789aeE.-tru \\', max_size=20),
    st.text("ab|; ", max_size=8),
    st.from_regex(r"[a-z.+]{1,5}@[a-z.-]{1,8}\.[a-z]{1,4}", fullmatch=True),
    st.from_regex(r"https?://[a-z.:@]{0,8}/?[ -~]{0,5}", fullmatch=True),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.dates().map(lambda day: day.isoformat()),
)
EXACT = {"text", "phone", "url", "enum"}
TRIMMED = {"email", "date"}


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.type)
@given(text=NEARLY)
@settings(max_examples=examples(150), deadline=None)
def test_every_cell_is_bad_or_becomes_json_that_reads_back(field: Field, text: str) -> None:
    written = compile_cell(field)(text)

    if isinstance(written, BadCell):
        return
    value = json.loads(written, parse_float=Decimal, parse_int=Decimal)
    if field.type in EXACT:
        assert value == text
    if field.type in TRIMMED:
        assert value == text.strip()
    if field.type in {"integer", "decimal"}:
        assert value == Decimal(text.strip())
    if field.type == "object":
        assert value == json.loads(text, parse_float=Decimal, parse_int=Decimal)


@given(number=st.from_regex(r"\A-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?\Z"))
@settings(deadline=None)
def test_a_number_keeps_its_digits(number: str) -> None:
    number = number.rstrip("\n")

    assert compile_cell(Field("x", "decimal"))(number) == number
    assert compile_cell(Field("x", "object"))(f"[{number}]") == f"[{number}]"
    assert compile_value(Field("x", "decimal"))(Decimal(number)) == number


@given(text=st.from_regex(r"\A[+-]?[0-9]{0,20}\.?[0-9]{0,20}([eE][+-]?[0-9]{1,4})?\Z"))
@settings(deadline=None)
def test_a_number_in_any_spelling_keeps_its_value(text: str) -> None:
    written = compile_cell(Field("x", "decimal"))(text)

    if not isinstance(written, BadCell):
        assert Decimal(written) == Decimal(text)
        assert Decimal(written).as_tuple().exponent == Decimal(text).as_tuple().exponent


@given(
    address=st.builds(
        "{}@{}.{}".format,
        st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8),
        st.text("abAB01-.", max_size=10),
        st.text("abcAB0-", max_size=4) | st.sampled_from(["test", "LOCAL", "onion", "Invalid", "localhost", "arpa"]),
    )
)
@example(address="a@xn--bcher-kva.com")
@example(address="a@ab--c.com")
@example(address=f"{'a' * 63}@b.com")
@example(address=f"a@{'b' * 64}.com")
@settings(max_examples=examples(400), deadline=None)
def test_the_quick_pattern_accepts_only_what_the_validator_accepts(address: str) -> None:
    if email._match_plain(address) and len(address) <= email.QUICK_LENGTH:
        validate_email(address, check_deliverability=False)


@given(text=TEXTS)
@example(text="\u0132\u0307")
@example(text="a" + "\u0301\u0316" * 20)
@settings(max_examples=examples(500), deadline=None)
def test_a_slug_is_its_own_slug(text: str) -> None:
    slug = make_slug(text)

    assert make_slug(slug) == slug
    assert not slug.startswith("-")
    assert not any(character.isspace() or character in "/?#%&" for character in slug)


@given(text=TEXTS)
@example(text="\u0130\u0316")  # lower-casing it after NFC would undo NFC
@settings(max_examples=examples(300), deadline=None)
def test_normalizing_a_key_twice_changes_nothing(text: str) -> None:
    for type_ in ("text", "email", "integer", "phone"):
        field = Field("x", type_)
        once = normalize_key(field, text)
        assert normalize_key(field, once) == once
