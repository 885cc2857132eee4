"""The page of the other programs tells what was measured, names what could not be had, and draws it."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.machine import Machine
from benchmarks.peers import page
from benchmarks.peers.measuring import HERE, PARTS, Taken, complaint, quoted, shown
from benchmarks.peers.programs import PROGRAMS, Program

MACHINE = Machine(*["x"] * 8)


def taken(name: str, seconds: float, gap: str = "") -> Taken:
    each = Taken(name, "1.0", command=f"load {name}", phone="kept", bad_rows="998 of 998", gap=gap)
    each.seconds = {part: [seconds * 3, seconds, seconds * 2] for part in PARTS}
    return each


def test_the_page_has_the_middle_of_the_rounds_and_the_quickest_first() -> None:
    told = page.page(MACHINE, [taken("slow", 2.0), taken("quick", 0.5)], 100, 3, "0.10")
    assert "| slow | 1.0 | 4.00 s (2.00 to 6.00) |" in told
    assert told.index("| quick |") < told.index("| slow |")
    assert "Nothing: all programs" in told


def test_a_program_that_cannot_be_had_is_a_named_gap_and_has_no_figures() -> None:
    had = [taken("quick", 0.5), Taken("absent", "", gap="no apt-get")]
    told = page.page(MACHINE, had, 100, 3, "0.10")
    assert "- **absent**: no apt-get" in told
    assert "| absent |" not in told
    assert "absent" not in page.picture(had)


def test_the_picture_draws_each_part_as_long_as_its_seconds() -> None:
    drawn = ET.fromstring(page.picture([taken("a & b", 1.0), taken("quick", 0.5)]))
    widths = [float(each.attrib["width"]) for each in drawn.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths[1:] == [page.ROOM / 2] * 3 + [page.ROOM] * 3
    assert "a & b" in {each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.table)
def test_the_command_of_a_program_can_be_typed(program: Program) -> None:
    told = shown(program)
    assert "{" not in told
    assert all(Path(HERE, each.rpartition("/")[2]).exists() for each in told.split() if each.endswith(".py"))


def test_a_complaint_is_the_line_that_names_the_fault() -> None:
    said = "begin\n\x1b[31mERROR: missing data\x1b[0m\n(Background on this error at: x)\nbye\n"
    assert complaint(said) == "ERROR: missing data"
    assert complaint("table name  errors\nTotal 3\n") == "Total 3"
    assert complaint("") == "nothing"
    assert quoted("a|b`<c") == '"a¦b\'‹c"'
