"""A worker on a machine of its own is cut off from the network in the middle of an import, and joined again."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.machines import BAD, ROWS

ROOT = Path(__file__).resolve().parents[2]
IN_A_NETWORK_OF_ITS_OWN = ("unshare", "--net")
NEEDED = ("ip", "nsenter", "unshare")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_worker_that_is_cut_off_and_joined_again_costs_no_row_and_no_count(tmp_path: Path) -> None:
    require_namespaces()
    story = [sys.executable, "-m", "tests.faults.machines", str(tmp_path)]
    told = subprocess.run([*IN_A_NETWORK_OF_ITS_OWN, *story], cwd=ROOT, capture_output=True, text=True, check=False)
    logs = "\n".join(log.read_text()[-2000:] for log in tmp_path.glob("*.log"))
    assert told.returncode == 0, f"{told.stderr}\n{logs}"
    seen = json.loads(told.stdout)

    assert seen["was_joined_in_mid_import"]
    assert seen["ended"] == {"status": "finished", "created": ROWS - BAD, "updated": 0, "errors": BAD}
    assert seen["truth"]["records"] == ROWS - BAD
    assert seen["truth"]["in_batches"] == ROWS
    assert seen["truth"]["attempt"] > 2, "nobody took the import over"
    assert seen["untrue"] == []
    # The one that was cut off works on the same file again, and finds nothing to change.
    assert seen["second"] == {"status": "finished", "created": 0, "updated": 0, "errors": BAD}
    print(f"{seen['seconds']} s until another worker went on")


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_session_that_is_cut_off_amid_a_statement_gives_back_its_locks(tmp_path: Path) -> None:
    require_namespaces()
    story = [sys.executable, "-m", "tests.faults.cut_amid_statement", str(tmp_path)]
    told = subprocess.run([*IN_A_NETWORK_OF_ITS_OWN, *story], cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert float(told.stdout.splitlines()[-1]) < 40  # 15 by the settings


def require_namespaces() -> None:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"This machine has no {' and no '.join(missing)}")
    wire = ("ip", "link", "add", "wire", "type", "veth", "peer", "name", "other")
    tried = subprocess.run([*IN_A_NETWORK_OF_ITS_OWN, *wire], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"Nobody may make networks here: {tried.stderr.strip()}")
