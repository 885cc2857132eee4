"""The folder of stored files when the machine is in trouble: it says so in words of ours, and leaves nothing behind."""

import errno
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from app.storage.blobs import BlobMissing, BlobsUnavailable, FileBlobs
from app.storage.blobs.errors import translate_os_errors
from tests.storage.conftest import files, read, stored
from tests.support.limits import fill, limited, no_more_files, small_disk

DATA = b"_email\nana@example.org\n" * 1_000


def commit(store: FileBlobs, data: bytes = DATA) -> None:
    """Stores a blob as everybody does: what fails is aborted."""
    writer = store.create()
    try:
        writer.write(data)
        writer.commit()
    finally:
        writer.abort()


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        store = FileBlobs(disk / "blobs")
        name = stored(store, DATA)
        filler = fill(disk)
        for attempt in (commit, FileBlobs.check):
            with pytest.raises(BlobsUnavailable, match=r"^The disk of the stored files is full$"):
                attempt(store)
        assert files(store.incoming) == set()
        assert read(store, name) == DATA
        filler.unlink()
        commit(store)
        store.check()


def test_a_file_that_the_process_may_not_write_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    """The same without a disk of the test's own."""
    store = FileBlobs(tmp_path / "blobs")
    for attempt in (commit, FileBlobs.check):
        with limited(resource.RLIMIT_FSIZE, 0), pytest.raises(BlobsUnavailable, match="ulimit -f"):
            attempt(store)
    assert files(store.root) == set()


def test_no_free_file_descriptor_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    store = FileBlobs(tmp_path / "blobs")
    name = stored(store, DATA)
    attempts: list[Callable[[FileBlobs], object]] = [commit, FileBlobs.check, lambda store: store.open(name)]
    for attempt in attempts:
        with no_more_files(), pytest.raises(BlobsUnavailable, match="ulimit -n"):
            attempt(store)
    assert files(store.root) == {name}
    assert read(store, name) == DATA


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    store = FileBlobs(tmp_path / "blobs")
    writer = store.create()
    writer.write(DATA)
    store.root.rename(tmp_path / "elsewhere")
    for attempt in (writer.open_for_reading, writer.commit, store.create, store.check):
        with pytest.raises(BlobsUnavailable, match="Check that it is mounted"):
            attempt()
    writer.abort()


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.EACCES, errno.ENOSPC, errno.ENOTCONN])
def test_no_trouble_is_told_in_the_systems_words(number: int, tmp_path: Path) -> None:
    with pytest.raises(BlobsUnavailable) as told, translate_os_errors():
        raise OSError(number, os.strerror(number), str(tmp_path))
    assert os.strerror(number) not in str(told.value)
    assert str(tmp_path) not in str(told.value)


def test_a_missing_blob_is_still_a_missing_blob(tmp_path: Path) -> None:
    with pytest.raises(BlobMissing):
        FileBlobs(tmp_path / "blobs").open("0" * 32)
