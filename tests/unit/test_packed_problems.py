"""The problems of a batch are stored compressed, and a page of them unpacks a piece only."""

import zlib
from itertools import islice

import msgspec
import pytest

from app.problems import Problem
from app.runs.problems import PIECE, Wanted, pack, read_places, take, unpack


def problems(count: int) -> list[Problem]:
    return [
        Problem(
            line=number + 2,
            row=number // 3 + 1,
            column=f"c{number % 3}",
            field=None,
            code="type_error",
            message='ends like a piece: }],"],',
            value="ü" * (number % 200),
        )
        for number in range(count)
    ]


def packed(count: int) -> bytes:
    found = pack(problems(count))
    assert found is not None
    return found


@pytest.mark.parametrize("count", [1, 2, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 7])
def test_packed_problems_come_back_from_any_place(count: int) -> None:
    stored, every = packed(count), problems(count)
    assert list(unpack(stored)) == every
    for skip in {0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 3, count - 1, count, count + 1, count + PIECE}:
        assert list(unpack(stored, skip=skip)) == every[skip:]


def test_those_that_are_wanted_are_taken_and_the_next_page_begins_after_them() -> None:
    stored, every = packed(PIECE + 7), problems(PIECE + 7)
    wanted = Wanted("type_error", "c1")
    fitting = [each for each in every if each.column == "c1"]
    first, end = take(stored, 0, 5, wanted)
    assert (first, end) == (fitting[:5], 14)
    rest, end = take(stored, end, len(every), wanted)
    assert (rest, end) == (fitting[5:], len(every))
    assert take(stored, 0, 5, Wanted("required")) == ([], len(every))
    assert take(stored, 3, 0, wanted) == ([], 3)


def test_no_problems_are_stored_as_nothing() -> None:
    assert pack([]) is None


def test_release_0_1_reads_what_is_packed_now() -> None:
    assert msgspec.json.decode(zlib.decompress(packed(2_500)), type=list[Problem]) == problems(2_500)


def test_what_release_0_1_packed_is_read() -> None:
    stored = zlib.compress(msgspec.json.encode(problems(2_500)), 3)
    assert list(unpack(stored)) == problems(2_500)
    assert list(unpack(stored, skip=2_499)) == problems(2_500)[2_499:]


def test_a_page_needs_a_piece_only() -> None:
    """Whatever is broken elsewhere is not even looked at."""
    stored = packed(5 * PIECE)
    start, end = read_places(stored)[3:5]
    spoilt = b"\xff" * start + stored[start:end] + b"\xff" * (read_places(stored)[-1] - end)
    spoilt += stored[len(spoilt) :]
    assert list(islice(unpack(spoilt, skip=3 * PIECE + 5), 10)) == problems(5 * PIECE)[3 * PIECE + 5 :][:10]
