"""Which item the name of a picture means."""

import pytest

from app.item_images.file_names import (
    KnownItems,
    choose_reading,
    has_picture_extension,
    is_left_by_system,
    list_readings,
    lower,
)


def known(*codes: str) -> KnownItems:
    by_lower_case: dict[str, list[str]] = {}
    for code in codes:
        by_lower_case.setdefault(lower(code), []).append(code)
    return KnownItems(frozenset(codes), by_lower_case)


@pytest.mark.parametrize(
    ("name", "codes", "meant"),
    [
        ("SHIRT01_1.jpg", ["SHIRT01"], ("SHIRT01", 1)),
        ("SHIRT01_12.JPEG", ["SHIRT01"], ("SHIRT01", 12)),
        ("SHIRT01_0.png", ["SHIRT01"], ("SHIRT01", 0)),
        ("SHIRT01_007.jpg", ["SHIRT01"], ("SHIRT01", 7)),
        ("SHIRT01.jpg", ["SHIRT01"], ("SHIRT01", 1)),
        (" SHIRT01 _2 .jpg", ["SHIRT01"], ("SHIRT01", 2)),
        ("SHIRT01_9999.jpg", ["SHIRT01"], ("SHIRT01", 9999)),
        ("SHIRT01_10000.jpg", ["SHIRT01"], None),
        ("SHIRT01_1_front.jpg", ["SHIRT01"], None),
        ("SHIRT01-1.jpg", ["SHIRT01"], None),
        ("SHIRT01_²._jpg.png", ["SHIRT01"], None),
        # Codes that hold `_`: the longest that exists.
        ("A_B_2.jpg", ["A_B", "A"], ("A_B", 2)),
        ("A_2.jpg", ["A_2", "A"], ("A_2", 1)),
        ("A_2.jpg", ["A"], ("A", 2)),
        ("A_2_3.jpg", ["A_2", "A_2_3", "A"], ("A_2_3", 1)),
        ("A_2_3.jpg", ["A_2", "A"], ("A_2", 3)),
        ("_1.jpg", ["", "_1"], ("_1", 1)),
        ("_1.jpg", [""], None),
        (".jpg", [""], None),
        # Codes with points, and with what file names cannot hold.
        ("A.1_2.jpg", ["A.1"], ("A.1", 2)),
        ("A%2FB_2.jpg", ["A/B", "A%2FB"], ("A/B", 2)),
        ("A%2FB_2.jpg", ["A%2FB"], ("A%2FB", 2)),
        ("A%3a%5c_1.jpg", ["A:\\"], ("A:\\", 1)),
        ("100%25_2.jpg", ["100%"], ("100%", 2)),
        ("100%_2.jpg", ["100%"], ("100%", 2)),
        ("A%FF_2.jpg", ["A%FF"], ("A%FF", 2)),
        ("A%5F2.jpg", ["A"], ("A", 2)),
        ("A%00_1.jpg", ["A"], None),
        # Letters: composed or not, and in another case if that is unambiguous.
        ("Gro\u0308\u00dfe_2.jpg", ["Größe"], ("Größe", 2)),
        ("shirt01_2.jpg", ["SHIRT01"], ("SHIRT01", 2)),
        ("shirt01_2.jpg", ["SHIRT01", "Shirt01"], None),
        ("shirt01_2.jpg", ["SHIRT01", "shirt01"], ("shirt01", 2)),
        ("a_2.jpg", ["A_2", "a"], ("a", 2)),
        ("ÄA_2.jpg", ["Äa"], ("Äa", 2)),
        ("äA_2.jpg", ["ÄA"], None),
    ],
)
def test_a_name_means_the_item_with_the_longest_code(
    name: str, codes: list[str], meant: tuple[str, int] | None
) -> None:
    found = choose_reading(list_readings(name), known(*codes))
    assert (None if found is None else (found.item_code, found.sequence)) == meant


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("__MACOSX/._A_1.jpg", True),
        ("folder/__MACOSX/A_1.jpg", True),
        ("._A_1.jpg", True),
        (r"folder\Thumbs.db", True),
        ("Desktop.ini", True),
        (".DS_Store", True),
        ("A_1.jpg", False),
        ("__MACOSX", False),
        ("thumbs.db/A_1.jpg", False),
    ],
)
def test_what_systems_leave_in_an_archive_is_nobodys_picture(path: str, expected: bool) -> None:
    assert is_left_by_system(path) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.jpg", True), ("a.JPeG", True), ("a.png", True), ("a.gif", False), ("jpg", False), ("a.jpg.zip", False)],
)
def test_a_picture_has_one_of_three_extensions(name: str, expected: bool) -> None:
    assert has_picture_extension(name) is expected
