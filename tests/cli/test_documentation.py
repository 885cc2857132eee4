"""The commands that the documentation prints work as they are printed."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


# Where a newcomer begins. The others are as good as their commands, which have tests of their own.
FEW = ("README.md", "docs/tutorial.md", "docs/guides/send-a-file.md", "docs/guides/bad-rows.md")


@pytest.mark.timeout(300)  # a service is started, and every page makes a key
@pytest.mark.parametrize("pages", [FEW, pytest.param((), marks=pytest.mark.slow)], ids=["few", "all"])
def test_the_commands_of_every_page_get_the_answers_that_it_shows(pages: tuple[str, ...]) -> None:
    """No command fails, and each answer has the status that the page has; `make docs-answers` writes new ones."""
    ended = subprocess.run(
        [sys.executable, "-m", "docs.record", "--check", *pages],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
