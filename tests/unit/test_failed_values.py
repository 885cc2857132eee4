"""Counting bad values: exactly, with no more memory than a few thousand of them need."""

import random
from collections import Counter

from app.imports.corrections.values import FailedValue, FrequentValues, KnownValues, Place, rank_values
from app.problems import shorten


def place(value: str) -> Place:
    return "price", "price", "type_error", value


def test_every_value_that_is_frequent_is_found_among_too_many() -> None:
    chance = random.Random(13)
    cells = [str(number) for number in range(2_000)] + ["n/a"] * 400 + ["12,50"] * 90
    chance.shuffle(cells)
    frequent = FrequentValues(40)

    frequent.add(place(cell) for cell in cells)
    known = KnownValues(dict.fromkeys(frequent.counts, 0))
    known.add(place(cell) for cell in cells)

    assert len(frequent.counts) <= 40
    assert known.counts[place("n/a")] == 400
    assert known.counts[place("12,50")] == 90
    assert 0 < frequent.missed <= len(cells) // 40
    assert sum(known.counts.values()) + known.others == len(cells)
    least = Counter(cells)
    assert all(place(cell) in known.counts for cell, count in least.items() if count > frequent.missed)


def test_nothing_is_missed_among_few() -> None:
    frequent = FrequentValues(2)
    frequent.add(iter([place("b"), place("a"), place("b")]))
    assert not frequent.missed
    assert [(each.value, each.count) for each in rank_values(frequent.counts)] == [("b", 2), ("a", 1)]


def test_a_value_that_was_cut_is_told_from_one_that_ends_so() -> None:
    assert FailedValue(*place(shorten("x" * 201)), 1).cut
    assert not FailedValue(*place("x…"), 1).cut
