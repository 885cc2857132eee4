"""The script that Connectif's own article prints runs unchanged but for the host, with the client library it names."""

import os
import subprocess
from pathlib import Path
from secrets import token_hex

import httpx
import pytest

from tests.support import environments
from tests.support.environments import needs_node
from tests.support.live import Live

HERE = Path(__file__).parent
VENDOR = "https://api.connectif.cloud"
# The first of them may install what it needs.
pytestmark = [needs_node, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def packages(pytestconfig: pytest.Config) -> Path:
    """A folder with the script's two packages."""
    return environments.node("connectif-seed", pytestconfig)


def run_script(live: Live, packages: Path, folder: Path, *, key: str, file: Path) -> subprocess.CompletedProcess[str]:
    script = folder / "import.js"
    text = (HERE / "seed_script.js").read_text()
    assert text.count(VENDOR) == 2
    script.write_text(text.replace(VENDOR, live.url))
    environment = {"PATH": os.environ["PATH"], "NODE_PATH": str(packages), "API_KEY": key, "FILE_PATH": str(file)}
    return subprocess.run(
        ["node", str(script)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_vendors_script_imports_the_vendors_sample(live: Live, packages: Path, tmp_path: Path) -> None:
    key = live.key(f"seed-{token_hex(4)}")
    done = run_script(live, packages, tmp_path, key=key, file=HERE / "seed.csv")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-2] == "completed 5 of 5"
    assert lines[-1].startswith("Success")
    record = httpx.get(f"{live.url}/records/contacts/carl@example.org", headers={"Authorization": f"apiKey {key}"})
    assert record.json()["data"] == {"_email": "carl@example.org", "_name": "Carl", "_points": 10}


def test_the_vendors_script_prints_why_it_was_refused(live: Live, packages: Path, tmp_path: Path) -> None:
    done = run_script(live, packages, tmp_path, key="wrong:key", file=HERE / "seed.csv")
    assert done.returncode == 1
    assert done.stderr.startswith("401 {")
    assert "not_authenticated" in done.stderr


@pytest.mark.slow
def test_the_vendors_script_prints_that_its_file_is_too_large(live: Live, packages: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(60_000_000)
    done = run_script(live, packages, tmp_path, key=live.key("seed-large"), file=large)
    assert done.returncode == 1
    assert done.stderr.startswith("413 {")
