"""`sluice up` of root: the API and the workers run as the account of the servers, where that can work."""

import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from app.cli.serving.account import WRITTEN, choose_account, find_obstacles, hand_over_tree, may
from app.embedded import DataFolder, InstanceSecrets, SystemUser, find_server_user, free_port
from app.observe.logs import configure
from app.settings import Settings
from tests.embedded.conftest import reachable_folder, wait
from tests.support.http import CONTACTS, PARTS

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give its programs another account")


@pytest.fixture
def user() -> SystemUser:
    found = find_server_user()
    assert found is not None
    return found


@pytest.fixture
def base() -> Iterator[Path]:
    with reachable_folder() as data:
        yield data.parent


@pytest.fixture
def visible(base: Path) -> Iterator[dict[str, Path]]:
    """Python, its packages and our code at places that everybody can reach. Skips the test where nobody may mount."""
    places = {"python": Path(sys.base_prefix), "packages": Path(sysconfig.get_path("purelib")), "code": ROOT}
    mounted: list[Path] = []
    try:
        for name, place in places.items():
            (base / name).mkdir()
            done = subprocess.run(["mount", "--bind", str(place), str(base / name)], capture_output=True, check=False)
            if done.returncode:
                pytest.skip("Python is closed to other users here, and this machine lets nobody mount it elsewhere")
            mounted.append(base / name)
        yield {name: base / name for name in places}
    finally:
        for folder in reversed(mounted):
            subprocess.run(["umount", "-l", str(folder)], check=True)


def test_programs_of_root_run_as_an_unprivileged_account(
    base: Path, visible: dict[str, Path], user: SystemUser
) -> None:
    data, port = base / "data", free_port()
    data.mkdir(mode=0o711)
    (data / "blobs/stored/ab").mkdir(parents=True)
    (data / "blobs/stored/ab/abcd").touch(0o600)  # of root, as before
    sluice = [str(visible["python"] / "bin" / f"python3.{sys.version_info.minor}"), "-P", "-m", "app"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    environment["PYTHONPATH"] = f"{visible['code']}:{visible['packages']}"
    environment["LD_LIBRARY_PATH"] = str(visible["python"] / "lib")  # a Python with a library has its old place in it
    with (base / "log").open("wb") as log:
        up = subprocess.Popen(
            [*sluice, "up", "--port", str(port), "--data", str(data)], env=environment, stdout=log, stderr=log
        )
    try:
        wait(lambda: b"Sluice is ready" in (base / "log").read_bytes() or up.poll() is not None, 60)
        assert up.poll() is None, (base / "log").read_text()
        for part in ("api", "worker-1", "postgres", "valkey"):
            assert psutil.Process(int((data / f"{part}.pid").read_text().split()[0])).uids().effective == user.uid
        made = subprocess.run(
            [*sluice, "key", "create", "--account", "shop", "--data", str(data)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        headers = {"Authorization": f"apiKey {made.stdout.split()[-1]}"}
        files = {"file": ("a.csv", CONTACTS, "text/csv")}
        run = httpx.post(f"http://127.0.0.1:{port}/imports/", headers=headers, data=PARTS, files=files).json()["id"]
        poll = f"http://127.0.0.1:{port}/imports/{run}"
        wait(lambda: httpx.get(poll, headers=headers).json()["status"] == "finished", 30)
        assert {path.lstat().st_uid for path in (data / "blobs").rglob("*")} == {user.uid}
        assert (data / "secrets.json").stat().st_uid == 0
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(60)


def test_what_another_account_could_not_do_keeps_root(base: Path, user: SystemUser, tmp_path: Path) -> None:
    closed = base / "closed"
    closed.mkdir(mode=0o700)
    (closed / "ca.pem").touch()
    shared = base / "shared"  # to which everybody may write, with a store that root made
    shared.mkdir()
    shared.chmod(0o777)
    (shared / "stored").mkdir(mode=0o700)
    linked = base / "linked"
    linked.mkdir(mode=0o711)
    (linked / "blobs").symlink_to(closed / "blobs")

    def obstacles(data: Path = base, port: int = 8000, **settings: object) -> str:
        folder = DataFolder(data, data, user, InstanceSecrets("", "", ""))
        given = Settings(_env_file=None).model_copy(update=settings)  # type: ignore[call-arg]
        return "; ".join(find_obstacles(given, folder, port, user)).replace(str(base), "")

    usual = obstacles()  # Python itself, perhaps
    for found, expected in (
        (obstacles(data=closed), "/closed cannot be entered by the user nobody"),
        (obstacles(data=linked), "/closed cannot be entered by the user nobody"),
        (obstacles(port=1), "port 1 is for root only"),
        (obstacles(ca_file=closed / "ca.pem"), "SLUICE_CA_FILE cannot be read by the user nobody"),
        (obstacles(blobs=f"file://{shared}"), "the folder of SLUICE_BLOBS cannot be written by the user nobody"),
        (obstacles(blobs=f"file://{closed}"), "the folder of SLUICE_BLOBS cannot be written by the user nobody"),
    ):
        assert expected in found
        assert expected not in usual
    assert not may(os.W_OK, base, user)


def test_a_folder_that_is_a_link_is_handed_over_with_what_is_in_it(base: Path, user: SystemUser) -> None:
    """Such as one on a larger disk. If it stayed root's nothing would start."""
    disk = base / "disk"
    (disk / "stored").mkdir(parents=True)
    (base / "blobs").symlink_to(disk)
    hand_over_tree(base / "blobs", user)
    assert {path.stat().st_uid for path in (disk, disk / "stored")} == {user.uid}


def test_a_folder_that_is_closed_is_left_as_it_is(
    base: Path, user: SystemUser, logged: pytest.CaptureFixture[str]
) -> None:
    configure("info")
    closed = base / "closed"
    closed.mkdir(mode=0o700)
    folder = DataFolder(closed, closed, user, InstanceSecrets("", "", ""))
    assert choose_account(Settings(_env_file=None), folder, 8000) is None  # type: ignore[call-arg]
    assert [path for path in closed.iterdir() if path.name in WRITTEN] == []
    assert "programs_keep_root" in "".join(logged.readouterr())
