"""Every type of field: the cells it accepts, what they become, and the cells it refuses."""

from decimal import Decimal

import pytest

from app.problems import PROBLEMS
from app.resources.field_types import TYPES, BadCell, compile_cell, compile_value, convert_any_value, normalize_key
from app.resources.schema import Field

LONG = "1" * 1_000
MANY = tuple(f"option{n}" for n in range(50))
NARROW = Field("x", "integer", min=Decimal(-2), max=Decimal(10))
TENTHS = Field("x", "decimal", min=Decimal("0.5"), max=Decimal("1e3"))
SHORT = Field("x", "text", max_length=3)
COLOURS = Field("x", "enum", options=("red", "dark green", 'so "called"'))
TAGS = Field("x", "list", options=("a", "b"), separator=";")


def of(type_: str) -> Field:
    return Field("x", type_)


GOOD = [
    (of("text"), "Bob", '"Bob"'),
    (of("text"), " kept as it is ", '" kept as it is "'),
    (of("text"), 'say "hi"\\\n\t\x01', '"say \\"hi\\"\\\\\\n\\t\\u0001"'),
    (of("text"), "Jürgen 😀", '"Jürgen 😀"'),
    (SHORT, "äöü", '"äöü"'),
    (of("slug"), "Crème Brûlée!", '"creme-brulee"'),
    (of("slug"), "  Straße -- 5/B ", '"strasse-5-b"'),
    (of("slug"), "Привет, Йога", '"привет-йога"'),
    (of("slug"), "हिन्दी", '"हिन्दी"'),
    (of("integer"), "0", "0"),
    (of("integer"), "-12", "-12"),
    (of("integer"), " 12\t", "12"),
    (of("integer"), "+5", "5"),
    (of("integer"), "007", "7"),
    (of("integer"), "000", "0"),
    (of("integer"), "-0", "0"),
    (of("integer"), "-010", "-10"),
    (of("integer"), LONG, LONG),
    (of("integer"), "120.0", "120"),
    (of("integer"), " -7.00 ", "-7"),
    (of("integer"), "5.", "5"),
    (of("integer"), "0.000", "0"),
    (of("integer"), "1234.000", "1234"),
    (NARROW, "-2", "-2"),
    (NARROW, "10", "10"),
    (of("decimal"), "12.50", "12.50"),
    (of("decimal"), "-0.10", "-0.10"),
    (of("decimal"), " 1 ", "1"),
    (of("decimal"), "+5", "5"),
    (of("decimal"), ".5", "0.5"),
    (of("decimal"), "-.5", "-0.5"),
    (of("decimal"), "5.", "5"),
    (of("decimal"), "007.10", "7.10"),
    (of("decimal"), "1e3", "1e3"),
    (of("decimal"), "1.50E-07", "1.50e-07"),
    (of("decimal"), "1e+1000", "1e+1000"),
    (of("decimal"), f"0.{'1' * 999}", f"0.{'1' * 999}"),
    (TENTHS, "0.5", "0.5"),
    (TENTHS, "1000.0", "1000.0"),
    *[(of("boolean"), text, "true") for text in ("true", "TRUE", "1", "yes", "Yes", " true ")],
    *[(of("boolean"), text, "false") for text in ("false", "False", "0", "no", "NO\t")],
    (of("date"), "2024-02-29", '"2024-02-29"'),
    (of("date"), " 0001-01-01 ", '"0001-01-01"'),
    (of("datetime"), "2024-05-01", '"2024-05-01T00:00:00Z"'),
    (of("datetime"), "2024-05-01T10:00", '"2024-05-01T10:00:00Z"'),
    (of("datetime"), "2024-05-01 10:00:05", '"2024-05-01T10:00:05Z"'),
    (of("datetime"), " 2024-05-01t10:00:05z ", '"2024-05-01T10:00:05Z"'),
    (of("datetime"), "2024-05-01T10:00:05.120Z", '"2024-05-01T10:00:05.120Z"'),
    (of("datetime"), "2024-05-01T10:00:05,123456789Z", '"2024-05-01T10:00:05.123456789Z"'),
    (of("datetime"), "2024-01-01T01:30:00.5+02:00", '"2023-12-31T23:30:00.5Z"'),
    (of("datetime"), "2024-12-31T23:00:00-0130", '"2025-01-01T00:30:00Z"'),
    (of("datetime"), "2024-05-01T10:00:00+02", '"2024-05-01T08:00:00Z"'),
    (of("datetime"), "0001-01-01T00:00:00", '"0001-01-01T00:00:00Z"'),
    (of("email"), "Bob+x@Example.com", '"Bob+x@Example.com"'),
    (of("email"), " bob@example.com ", '"bob@example.com"'),
    (of("email"), "o'neill@mail.example.co.uk", '"o\'neill@mail.example.co.uk"'),
    (of("email"), "jürgen@exämple.de", '"jürgen@exämple.de"'),
    (of("email"), f"{'a' * 70}@example.com", f'"{"a" * 70}@example.com"'),
    (Field("x", "email", max_length=7), " a@b.com ", '"a@b.com"'),
    (of("phone"), "+34651234567", '"+34651234567"'),
    (of("phone"), "12345", '"12345"'),
    (of("url"), "https://example.com", '"https://example.com"'),
    (of("url"), 'HTTP://bob:pw@exämple.com:80/ä?q="x"#y', '"HTTP://bob:pw@exämple.com:80/ä?q=\\"x\\"#y"'),
    (of("url"), "http://[::1]:8080/", '"http://[::1]:8080/"'),
    (of("url"), "https://example.com?q=a@b", '"https://example.com?q=a@b"'),
    (COLOURS, "dark green", '"dark green"'),
    (COLOURS, 'so "called"', '"so \\"called\\""'),
    (of("list"), " a | b,c ||", '["a","b,c"]'),
    (of("list"), "|", "[]"),
    (TAGS, "b; a;b", '["b","a","b"]'),
    (of("list"), "01| x ", '["01","x"]'),
    (of("reference"), " SKU-1 ", '"SKU-1"'),
    (of("reference"), "007", '"007"'),
    (of("object"), ' {"a": 1.50, "b": [true, null, "x"], "c": {}} ', '{"a":1.50,"b":[true,null,"x"],"c":{}}'),
    (of("object"), "[1e2, -0, 0.0000001]", "[1e+2,-0,0.0000001]"),
    (of("object"), '{"\\u00e4": "\\ud83d\\ude00"}', '{"ä":"😀"}'),
    (of("object"), "[" * 32 + "]" * 32, "[" * 32 + "]" * 32),
]

BAD = [
    (SHORT, "abcd", "too_long"),
    *[
        (of("integer"), text, "type_error")
        for text in ("10.5", "1e3", "1,000", "1 000", "", " ", "+", "--1", "0x10", "٣", ".0", "1.000", "-12.000")
    ],
    (of("integer"), "1" * 1_001, "type_error"),
    (of("integer"), "0" * 100_000, "type_error"),
    (NARROW, "-3", "too_small"),
    (NARROW, "11", "too_large"),
    (NARROW, "x", "type_error"),
    *[(of("decimal"), text, "type_error") for text in ("1,5", "1.000,5", "1.2.3", ".", "", "e5", "1e", "NaN", "٣.٥")],
    *[(of("decimal"), text, "type_error") for text in ("Infinity", "$5", "1_000", "1e1001", "1e-1001", "1e9999999999")],
    (of("decimal"), f"1.{LONG}", "type_error"),
    (of("decimal"), "9" * 100_000, "type_error"),
    (TENTHS, "0.49", "too_small"),
    (TENTHS, "1000.01", "too_large"),
    (TENTHS, "-1e1000", "too_small"),
    *[(of("boolean"), text, "type_error") for text in ("ja", "2", "t", "on", " ", "truetrue")],
    *[(of("date"), text, "type_error") for text in ("2023-02-29", "20240501", "2024-W18-3", "01/05/2024", "2024-5-1")],
    *[(of("date"), text, "type_error") for text in ("0000-01-01", "2024-05-01T00:00:00", "٢٠٢٤-٠٥-٠١", "2024-13-01")],
    *[(of("datetime"), text, "type_error") for text in ("2023-02-29T10:00", "2024-05-01T24:00", "2024-05-01T10:60")],
    *[(of("datetime"), text, "type_error") for text in ("2024-05-01T", "2024-05-01T10", "2024-05-01T10:00:00+25:00")],
    *[(of("datetime"), text, "type_error") for text in ("2024-05-01Z", "1714550400", "2024-05-01T10:00:00.Z")],
    (of("datetime"), "0001-01-01T00:00:00+00:01", "type_error"),
    (of("datetime"), "9999-12-31T23:59:59-00:01", "type_error"),
    *[
        (of("email"), text, "type_error")
        for text in ("bob", "bob@", "@example.com", "bob@localhost", "a b@example.com")
    ],
    *[
        (of("email"), text, "type_error")
        for text in ("a..b@example.com", "a@-b.com", "a@b.c0", "a@b@c.com", "a@x.TEST")
    ],
    *[(of("email"), text, "type_error") for text in ("Bob <bob@example.com>", "a@b.com\nc@d.com", "a@1.2.3.4", " ")],
    (of("email"), f"{'a' * 100_000}@example.com", "type_error"),
    (Field("x", "email", max_length=7), "ab@c.com", "too_long"),
    *[
        (of("phone"), text, "type_error")
        for text in ("1234", "1" * 21, "+34 651", "651-234", "++34651234567", "٣٤٦٥١٢")
    ],
    *[
        (of("url"), text, "type_error")
        for text in ("example.com", "/path", "ftp://example.com", "https://", "http:///x")
    ],
    *[
        (of("url"), text, "type_error")
        for text in ("https://a b.com", "https://a.com/\n", " https://a.com", "http://a\x00b")
    ],
    *[
        (of("url"), text, "type_error")
        for text in ("javascript:alert(1)", "https://a.com:port/", "http://:80", "https:a.com")
    ],
    *[(COLOURS, text, "not_an_option") for text in ("Red", "blue", "red ", "darkgreen")],
    (TAGS, "a;c", "not_an_option"),
    (Field("x", "list", max_length=2), "ab|abc", "too_long"),
    *[
        (of("object"), text, "type_error")
        for text in ("1", '"x"', "null", "{", "{'a':1}", '{"a":1,"a":2}', '{"a":NaN}')
    ],
    *[(of("object"), text, "type_error") for text in ('["\\u0000"]', '{"\\u0000":1}', '["\\ud800"]', "[1e1001]")],
    *[(of("object"), text, "type_error") for text in ("[-Infinity]", "[1e99999999999999999999]", f"[{LONG}1]")],
    (of("object"), "[" * 33 + "]" * 33, "type_error"),
    (of("object"), "[" * 60_000, "type_error"),
    (of("slug"), "!?", "type_error"),
    (of("reference"), " ", "type_error"),
    (Field("x", "slug", max_length=3), "abcd", "too_long"),
]


def short(value: object) -> str:
    return value.type if isinstance(value, Field) else ascii(value)[:30] if isinstance(value, str) else ""


@pytest.mark.parametrize(("field", "text", "written"), GOOD, ids=short)
def test_a_good_cell_becomes_the_json_of_its_value(field: Field, text: str, written: str) -> None:
    assert compile_cell(field)(text) == written


@pytest.mark.parametrize(("field", "text", "code"), BAD, ids=short)
def test_a_bad_cell_gives_a_reason_and_never_raises(field: Field, text: str, code: str) -> None:
    found = compile_cell(field)(text)

    assert isinstance(found, BadCell)
    assert found.code == code
    assert found.code in PROBLEMS


def test_every_type_is_covered_here() -> None:
    assert {field.type for field, _, _ in GOOD} == set(TYPES)


def test_a_message_is_a_sentence_that_names_the_limit_and_not_the_value() -> None:
    assert compile_cell(SHORT)("abcd") == BadCell("too_long", "The value has 4 characters, but at most 3 are allowed")
    assert compile_cell(NARROW)("77") == BadCell("too_large", "The value must be at most 10")
    assert compile_cell(TAGS)("zz") == BadCell("not_an_option", "The value must be one of a or b")
    assert compile_cell(of("date"))("zz") == BadCell(
        "type_error", "The value is not a date: dates must look like 2026-01-31"
    )


def test_a_message_does_not_list_options_without_end() -> None:
    found = compile_cell(Field("x", "enum", options=MANY))("zz")

    assert isinstance(found, BadCell)
    assert "option19, …" in found.message
    assert "option20" not in found.message


VALUES = [
    (of("text"), "Bob", '"Bob"'),
    (of("integer"), 10, "10"),
    (of("integer"), Decimal(10), "10"),
    (of("integer"), "10", "10"),
    (of("decimal"), Decimal("12.50"), "12.50"),
    (of("decimal"), Decimal("0.0000001"), "0.0000001"),
    (of("decimal"), Decimal("1E+3"), "1e+3"),
    (of("decimal"), -3, "-3"),
    (of("boolean"), True, "true"),
    (of("boolean"), False, "false"),
    (of("boolean"), "no", "false"),
    (of("list"), ["a", " b ", ""], '["a","b"]'),
    (of("list"), [], "[]"),
    (of("list"), "a|b", '["a","b"]'),
    (of("object"), {"a": Decimal("1.50"), "b": [1, True, None]}, '{"a":1.50,"b":[1,true,null]}'),
    (of("object"), [], "[]"),
    (of("object"), '{"a":1}', '{"a":1}'),
]

WRONG_VALUES = [
    *[(of("text"), given) for given in (1, Decimal(1), True, ["a"], {"a": 1}, None)],
    *[(of("integer"), given) for given in (True, Decimal("10.5"), Decimal("1E+3"), [1], None, 10**5_000)],
    *[(of("decimal"), given) for given in (False, Decimal("NaN"), Decimal("Infinity"), Decimal("1E+1001"), {})],
    *[(of("boolean"), given) for given in (1, 0, Decimal(1), None, [])],
    *[(of("list"), given) for given in ([1], ["a", None], [["a"]], {"a": "b"}, 1)],
    *[(of("object"), given) for given in (1, True, None, {"a": object()}, {"a": "\0"}, {"a": ["\ud800"]}, {"a": 1.5})],
    *[(Field("x", type_), 1) for type_ in ("date", "datetime", "email", "phone", "url", "slug")],
    (COLOURS, 1),
]


@pytest.mark.parametrize(("field", "given", "written"), VALUES, ids=short)
def test_a_value_of_json_lines_becomes_what_the_cell_would(field: Field, given: object, written: str) -> None:
    assert compile_value(field)(given) == written


@pytest.mark.parametrize(("field", "given"), WRONG_VALUES, ids=short)
def test_a_value_of_another_json_type_is_a_type_error(field: Field, given: object) -> None:
    found = compile_value(field)(given)

    assert isinstance(found, BadCell)
    assert found.code == "type_error"


def test_limits_hold_for_values_of_json_lines_too() -> None:
    assert compile_value(NARROW)(Decimal(11)) == compile_cell(NARROW)("11")
    assert compile_value(TAGS)(["c"]) == compile_cell(TAGS)("c")


def test_any_json_value_can_be_kept_for_a_column_without_a_field() -> None:
    assert convert_any_value(Decimal("1.10")) == "1.10"
    assert convert_any_value(None) == "null"
    assert convert_any_value("x") == '"x"'
    assert isinstance(convert_any_value(Decimal("1E+5000")), BadCell)


@pytest.mark.parametrize(
    ("type_", "one", "other"),
    [
        ("email", "Bob@Example.com ", "bob@example.COM"),
        ("email", "JU\u0308RGEN@example.com", "jürgen@example.com"),
        ("text", " Ju\u0308rgen", "Jürgen"),
        ("text", "SKU-1\t", "SKU-1"),
        ("integer", "007", " 7"),
    ],
)
def test_spellings_of_the_same_key_are_equal(type_: str, one: str, other: str) -> None:
    assert normalize_key(of(type_), one) == normalize_key(of(type_), other)


def test_keys_that_differ_stay_apart() -> None:
    assert normalize_key(of("text"), "sku-1") != normalize_key(of("text"), "SKU-1")
    assert normalize_key(of("text"), "007") != normalize_key(of("text"), "7")
