"""Reports of imports in which everything is wrong: a page costs what it shows, and a file what is sent of it."""

import csv
import io
import json
import time
from typing import Any

import httpx
import pytest

from tests.support.crowd import Crowd, Request

COLUMNS, ROWS = 499, 400
PATHS, LONG = 4_000, "p" * 200


def run_import(crowd: Crowd, file: bytes, name: str, **parts: str) -> dict[str, Any]:
    """Waits until the import has ended."""
    given = {"overrideExisting": "true", "updateOnlyEmptyFields": "false", "delimiter": ",", **parts}
    url = f"{crowd.live.url}/imports"
    run = httpx.post(url, headers=crowd.headers, data=given, files={"file": (name, file)}, timeout=60).json()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found: dict[str, Any] = httpx.get(run["links"]["self"], headers=crowd.headers, timeout=60).json()
        if found["status"] == "finished":
            return found
        time.sleep(0.05)
    raise AssertionError(f"The import did not end: {found}")


@pytest.fixture(scope="module")
def bad_cells(crowd: Crowd) -> str:
    """An import with 199,600 problems in a batch; the address of its report."""
    fields = [{"id": "code", "type": "text"}, *({"id": f"n{n}", "type": "integer"} for n in range(COLUMNS))]
    declared = httpx.put(
        f"{crowd.live.url}/types/numbers", headers=crowd.headers, json={"key": "code", "fields": fields}
    )
    assert declared.status_code == 201
    header = ",".join(each["id"] for each in fields)
    file = header + "\n" + "".join(f"c{row}," + ",".join(["bad"] * COLUMNS) + "\n" for row in range(ROWS))
    run = run_import(crowd, file.encode(), "numbers.csv", type="numbers")
    assert run["errors"] == ROWS
    return f"/imports/{run['id']}"


@pytest.mark.slow
def test_a_page_of_problems_costs_what_it_shows(crowd: Crowd, bad_cells: str) -> None:
    paths = [f"{bad_cells}/problems?limit=1", f"{bad_cells}/problems?limit=1&cursor=1.150000"]
    attack = crowd.attack([Request(path) for path in paths], at_once=30)
    assert attack.statuses.keys() <= {200, 429}
    assert attack.longest < 2_000


def test_pages_follow_each_other_from_any_place(crowd: Crowd, bad_cells: str) -> None:
    """Of 999, so that no page begins where a stored piece does."""
    every = [(row, f"n{column}") for row in range(1, ROWS + 1) for column in range(COLUMNS)]
    for first in (0, 100_123, len(every) - 2_500):
        seen: list[tuple[int, str]] = []
        address = f"{crowd.live.url}{bad_cells}/problems?limit=999&cursor=1.{first}"
        while address and len(seen) < 2_500:
            page = httpx.get(address, headers=crowd.headers, timeout=60).json()
            seen += [(each["row"], each["column"]) for each in page["results"]]
            address = page["links"].get("next", "")
        assert seen == every[first : first + len(seen)]
        assert len(seen) >= 2_500


@pytest.mark.slow
def test_failed_rows_of_many_bad_cells_cost_little(crowd: Crowd, bad_cells: str) -> None:
    attack = crowd.attack([Request(f"{bad_cells}/failed-rows.csv")], at_once=4)
    assert attack.statuses.keys() <= {200, 429}


@pytest.mark.slow
def test_rows_of_ever_other_paths_are_reported_with_as_many_columns_as_a_file_may_have(crowd: Crowd) -> None:
    rows = (json.dumps({"productID": "", LONG: {f"{n}": {"x": n}}, f"q{n}": {LONG: 1}}) for n in range(PATHS))
    run = run_import(crowd, "\n".join(rows).encode(), "products.jsonl", type="catalog")
    assert run["errors"] == PATHS
    path = f"/imports/{run['id']}/failed-rows.csv"
    crowd.attack([Request(path)], at_once=2)
    file = httpx.get(crowd.live.url + path, headers=crowd.headers, timeout=60).content.decode("utf-8-sig")
    table = csv.reader(io.StringIO(file, newline=""))
    assert len(next(table)) == 2_000 + len(("_line", "_codes", "_messages"))
    assert sum(1 for _ in table) == PATHS
