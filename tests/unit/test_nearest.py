"""The name that somebody probably meant, among few names and among thousands."""

import pytest

from app.mappings.nearest import FUZZY_SEARCHES, NearestName

NAMES = [f"attribute_{number:04}_of_the_article" for number in range(2_000)] + ["email", "unitPrice", "name"]


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("E-Mail", "email"),
        ("emial", "email"),
        ("unit price", "unitPrice"),
        ("unitPrcie", "unitPrice"),
        ("atribute 1234 of the article", "attribute_1234_of_the_article"),
        ("nothing like it", None),
        ("!", None),
        ("x" * 300, None),
    ],
)
def test_a_slip_of_the_pen_is_recognised_among_thousands(heading: str, name: str | None) -> None:
    assert NearestName(NAMES).find(heading) == name


def test_of_names_that_are_alike_the_first_is_meant() -> None:
    assert NearestName(["Unit price", "unitPrice"]).find("UNIT-PRICE") == "Unit price"


def test_only_so_many_headings_are_searched_for_but_all_for_what_differs_in_case() -> None:
    nearest = NearestName(NAMES)
    found = [nearest.find(f"atribute_{number:04}_of_the_article") for number in range(FUZZY_SEARCHES + 1)]
    assert found == [*NAMES[:FUZZY_SEARCHES], None]
    assert nearest.find("NAME") == "name"
