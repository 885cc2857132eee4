"""Stored files are private, whatever the folder was before, and get their name only when they are complete."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.storage.blobs import FileBlobs


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("existed", [False, True])
def test_folders_and_files_are_private(tmp_path: Path, existed: bool) -> None:
    root = tmp_path / "data" / "blobs"
    if existed:
        for folder in (root / "incoming", root / "stored"):
            folder.mkdir(parents=True, mode=0o777)
    store = FileBlobs(root)
    writer = store.create()
    writer.write(b"_email\n")
    assert mode(store.incoming / writer.name) == 0o600
    stored = store.path(writer.commit())
    assert mode(stored) == 0o600
    assert [mode(each) for each in (store.incoming, store.stored, stored.parent)] == [0o700] * 3
    assert mode(root) == (0o777 if existed else 0o700)


def test_a_blob_is_written_once_and_read_back(tmp_path: Path) -> None:
    store = FileBlobs(tmp_path / "blobs")
    writer = store.create()
    writer.write(b"_email\n")
    with writer.open_for_reading() as so_far:
        assert so_far.read() == b"_email\n"
    writer.write(b"a@example.org\n")
    name = writer.commit()
    with store.open(name) as file:
        assert file.read() == b"_email\na@example.org\n"
    assert list(store.incoming.iterdir()) == []
