"""Objects that are built from columns are those that the members describe."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imports.checking.json_objects import MemberColumn, build_objects, format_member

COUNT = 2
VALUES = st.sampled_from(['"a"', "1", '"%s"', "null", "[]", '"{}"'])
BARE = st.sampled_from(["a", "", "%", "é", "1", "{,"])
NAMED = st.lists(VALUES, min_size=COUNT, max_size=COUNT).map(lambda texts: (False, texts))
NAMED |= st.lists(BARE, min_size=COUNT, max_size=COUNT).map(lambda texts: (True, texts))
LOOSE = st.lists(st.none() | VALUES, min_size=COUNT, max_size=COUNT)


@given(
    named=st.lists(NAMED, max_size=3),
    loose=st.lists(LOOSE, max_size=2),
    constants=st.dictionaries(st.sampled_from(["c%", "d"]), VALUES),
)
def test_of_members_of_every_kind(
    named: list[tuple[bool, list[str]]], loose: list[list[str | None]], constants: dict[str, str]
) -> None:
    columns = [MemberColumn(f"n{at}%s", texts, bare=bare) for at, (bare, texts) in enumerate(named)]
    columns += [
        MemberColumn(None, [format_member(f"l{at}", text) if text else "" for text in texts])
        for at, texts in enumerate(loose)
    ]

    built = build_objects(columns, constants, COUNT)

    expected = [
        {f"n{at}%s": texts[row] if bare else json.loads(texts[row]) for at, (bare, texts) in enumerate(named)}
        | {f"l{at}": json.loads(text) for at, texts in enumerate(loose) if (text := texts[row])}
        | {name: json.loads(value) for name, value in constants.items()}
        for row in range(COUNT)
    ]
    assert list(map(json.loads, built)) == expected


def test_columns_of_different_lengths_are_a_fault() -> None:
    with pytest.raises(ValueError, match="zip"):
        build_objects([MemberColumn("a", ["1", "2"]), MemberColumn("b", ["1"])], {}, 2)
