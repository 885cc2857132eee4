"""What the pages for developers name exists: files of the code, and tests that prove promises."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
PROMISES = (ROOT / "docs/development/promises.md").read_text()
PAGES = {path: path.read_text() for path in (ROOT / "ARCHITECTURE.md", *(ROOT / "docs/development").glob("*.md"))}
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))


def test_architecture_can_be_read_in_one_sitting() -> None:
    assert ARCHITECTURE.count("\n") <= 150


@pytest.mark.parametrize("path", sorted(PAGES), ids=lambda path: path.name)
def test_every_file_that_a_page_names_exists(path: Path) -> None:
    named = re.findall(r"(?:app|workers|tests|migrations)/[\w/.*]+", PAGES[path])
    assert not [each for each in named if not list(ROOT.glob(each.rstrip("./")))]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", PROMISES))))
def test_every_test_that_proves_a_promise_exists(name: str) -> None:
    assert f"def {name}(" in TESTS


def test_the_picture_shows_every_room() -> None:
    rooms = {path.stem for path in (ROOT / "app").iterdir() if not path.stem.startswith("__")}
    tracked = subprocess.run(["git", "ls-files", "app"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    rooms = {room for room in rooms if f"app/{room}/" in tracked or f"app/{room}.py" in tracked}
    picture = ARCHITECTURE.split("```")[1]
    assert not [room for room in sorted(rooms) if not re.search(rf"\b{room}\b", picture)]
