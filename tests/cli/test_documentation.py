"""The commands that the documentation prints work as they are printed."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(300)  # a service is started, and every page makes a key
def test_the_commands_of_every_page_get_the_answers_that_it_shows() -> None:
    """No command fails, and each answer has the status that the page has; `make docs-answers` writes new ones."""
    ended = subprocess.run(
        [sys.executable, "-m", "docs.record", "--check"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
