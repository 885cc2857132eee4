"""What every store of blobs must do, whether it is a folder or a bucket."""

import pytest

from app.storage.blobs import BlobMissing, Blobs, BlobsUnavailable
from tests.storage.conftest import read, stored

UNKNOWN = "0" * 32


def test_a_blob_is_read_as_it_was_written_and_before_that_too(store: Blobs) -> None:
    writer = store.create()
    writer.write(b"_email\n")
    with writer.open_for_reading() as so_far:
        assert so_far.read() == b"_email\n"
    writer.write(b"ana@example.org\n")
    name = writer.commit()
    with store.open(name) as file:
        assert file.read(6) == b"_email"
        file.seek(0)
        assert file.read() == b"_email\nana@example.org\n"
    assert writer.size == 23


@pytest.mark.parametrize("size", [0, 1, 5_000_000])
def test_a_blob_may_have_any_size(store: Blobs, size: int) -> None:
    data = bytes(index * 7 % 251 for index in range(min(size, 5_000))) * max(1, size // 5_000)
    assert read(store, stored(store, data)) == data


def test_a_blob_that_is_not_committed_is_not_stored(store: Blobs) -> None:
    writer = store.create()
    writer.write(b"_email\n")
    with pytest.raises(BlobMissing):
        store.open(writer.name)
    writer.abort()
    writer.abort()
    assert list(store.list_older_than(-60)) == []
    with pytest.raises(BlobMissing):
        store.open(writer.name)


def test_a_deleted_blob_is_missing_and_deleting_it_again_does_no_harm(store: Blobs) -> None:
    name = stored(store, b"_email\n")
    store.delete(name)
    store.delete(name)
    with pytest.raises(BlobMissing):
        store.open(name)


def test_a_blob_that_is_being_read_stays_readable_when_it_is_deleted(store: Blobs) -> None:
    name = stored(store, b"_email\n")
    with store.open(name) as file:
        store.delete(name)
        assert file.read() == b"_email\n"


def test_blobs_older_than_an_age_are_listed(store: Blobs) -> None:
    names = {stored(store, b"_email\n") for _ in range(3)}
    assert list(store.list_older_than(60)) == []
    assert set(store.list_older_than(-60)) == names


def test_unfinished_blobs_of_an_age_are_removed(store: Blobs) -> None:
    writer = store.create()
    list(store.list_older_than(60))
    writer.open_for_reading().close()
    list(store.list_older_than(-60))
    with pytest.raises(BlobsUnavailable):
        writer.open_for_reading()
    writer.abort()


def test_a_blob_with_an_impossible_name_is_missing(store: Blobs) -> None:
    for name in (UNKNOWN, "../secret", "no/such/blob"):
        with pytest.raises(BlobMissing):
            store.open(name)


def test_a_healthy_store_passes_the_check_and_keeps_nothing_of_it(store: Blobs) -> None:
    store.check()
    assert list(store.list_older_than(-60)) == []
