"""A bucket as the store: copies that may vanish, a server that may be unreachable, and the settings of an operator."""

import asyncio
import os
import shutil
import ssl
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.runtime import Misconfigured
from app.runtime import open_store as store_of
from app.settings import Settings
from app.storage.blobs import BlobDamaged, BlobMissing, BlobsUnavailable, BucketAccess, open_blobs
from tests.storage.conftest import OpenShared, files, read, stored
from tests.support.object_store import BUCKET, ObjectStore
from tests.transports.servers.server import Certificates, Wire

DATA = b"_email\nana@example.org\n" * 1_000


def test_what_one_machine_has_stored_another_reads(shared: OpenShared) -> None:
    name = stored(shared("one"), DATA)
    assert read(shared("two"), name) == DATA


def test_a_blob_is_fetched_once_and_read_from_its_copy(shared: OpenShared, objects: ObjectStore) -> None:
    name = stored(shared("one"), DATA)
    other = shared("two")
    read(other, name)
    asked = objects.gate.requests
    assert read(other, name) == DATA
    assert objects.gate.requests == asked


def test_a_blob_is_deleted_in_the_bucket_and_on_the_machine(
    shared: OpenShared, objects: ObjectStore, prefix: str
) -> None:
    here = shared()
    name = stored(here, DATA)
    assert objects.keys(prefix) == {prefix + name}
    here.delete(name)
    assert objects.keys(prefix) == set()
    assert files(here.copies.root) == set()


def test_copies_stay_within_their_limit_and_the_oldest_go(shared: OpenShared) -> None:
    here = shared(copies_bytes=2 * len(DATA))
    names = [stored(here, DATA) for _ in range(2)]
    os.utime(here.copies.path(names[1]), (time.time() - 60,) * 2)
    names.append(stored(here, DATA))
    assert files(here.copies.stored) == {names[0], names[2]}
    assert [read(here, name) for name in names] == [DATA] * 3
    assert len(files(here.copies.stored)) == 2


def test_reading_a_copy_makes_it_recent_again(shared: OpenShared) -> None:
    here = shared(copies_bytes=2 * len(DATA))
    first, second = stored(here, DATA), stored(here, DATA)
    for name, age in ((first, 60), (second, 30)):
        os.utime(here.copies.path(name), (time.time() - age,) * 2)
    read(here, first)
    third = stored(here, DATA)
    assert files(here.copies.stored) == {first, third}


def test_a_blob_larger_than_the_limit_for_copies_can_still_be_read(shared: OpenShared) -> None:
    name = stored(shared("one"), DATA)
    assert read(shared("two", copies_bytes=1), name) == DATA


def test_a_copy_that_is_thrown_out_while_it_is_read_stays_readable(shared: OpenShared) -> None:
    small = shared("two", copies_bytes=1)
    first, second = (stored(shared("one"), DATA) for _ in range(2))
    with small.open(first) as file:
        read(small, second)
        assert first not in files(small.copies.stored)
        assert file.read() == DATA


def test_copies_that_nobody_reads_any_more_go(shared: OpenShared) -> None:
    """Another machine may have deleted the blob, and this machine does not learn of it."""
    here, there = shared("one"), shared("two")
    name = stored(here, DATA)
    read(there, name)
    here.delete(name)
    os.utime(there.copies.path(name), (time.time() - 7_200,) * 2)
    there.check()
    assert files(there.copies.stored) == set()
    with pytest.raises(BlobMissing):
        there.open(name)


def test_a_transfer_that_breaks_off_begins_again(shared: OpenShared, objects: ObjectStore) -> None:
    name = stored(shared("one"), DATA * 20)
    objects.gate.cut_after(100_000)
    other = shared("two")
    assert read(other, name) == DATA * 20
    assert files(other.copies.incoming) == set()


@pytest.mark.parametrize("kept", [DATA[:-1] + b"!", DATA[:-1]])
def test_a_blob_that_is_not_what_was_stored_is_never_read(
    shared: OpenShared, objects: ObjectStore, prefix: str, kept: bytes
) -> None:
    name = stored(shared("one"), DATA)
    metadata = objects.client.head_object(Bucket=BUCKET, Key=prefix + name)["Metadata"]
    objects.client.put_object(Bucket=BUCKET, Key=prefix + name, Body=kept, Metadata=metadata)
    other = shared("two")
    with pytest.raises(BlobDamaged):
        other.open(name)
    assert files(other.copies.root) == set()


def test_an_unreachable_store_stores_nothing_and_leaves_nothing(
    shared: OpenShared, objects: ObjectStore, prefix: str
) -> None:
    here = shared()
    name = stored(here, DATA)
    shutil.rmtree(here.copies.stored)
    here.copies.stored.mkdir()
    writer = here.create()
    writer.write(DATA)
    with objects.gate.closed():
        with pytest.raises(BlobsUnavailable):
            writer.commit()
        writer.abort()
        for attempt in (
            here.open,
            here.delete,
            lambda _: list(here.list_older_than(0)),
            lambda _: here.check(),
        ):
            with pytest.raises(BlobsUnavailable) as away:
                attempt(name)
            assert objects.secret not in str(away.value)
    assert files(here.copies.root) == set()
    assert objects.keys(prefix) == {prefix + name}
    assert read(here, name) == DATA


def test_the_check_of_an_unreachable_store_fails_soon(shared: OpenShared, objects: ObjectStore) -> None:
    here, began = shared(), time.monotonic()
    with objects.gate.closed(), pytest.raises(BlobsUnavailable):
        here.check()
    assert time.monotonic() - began < 4


def test_a_wrong_key_or_bucket_does_not_look_like_a_missing_blob(
    shared: OpenShared, objects: ObjectStore, tmp_path: Path
) -> None:
    """It can be corrected, so an import that waits for its file must not fail because of it."""
    name = stored(shared("one"), DATA)
    with pytest.raises(BlobsUnavailable, match="SignatureDoesNotMatch"):
        shared("two", secret=SecretStr("wrong")).open(name)
    url = objects.url("x").replace(BUCKET, "no-such-bucket")
    access = BucketAccess(tmp_path / "three", 10**9, SecretStr(objects.key), SecretStr(objects.secret))
    with pytest.raises(BlobsUnavailable, match="NoSuchBucket"):
        open_blobs(url, access).open(name)


def test_other_objects_in_the_bucket_are_left_alone(shared: OpenShared, objects: ObjectStore, prefix: str) -> None:
    for key in ("notes.txt", "deeper/" + "0" * 32, "ready"):
        objects.client.put_object(Bucket=BUCKET, Key=prefix + key, Body=b"")
    name = stored(shared(), DATA)
    assert list(shared().list_older_than(-60)) == [name]


@pytest.mark.slow
def test_blobs_beyond_the_first_page_of_a_list_are_found(shared: OpenShared, objects: ObjectStore, prefix: str) -> None:
    names = {f"{number:032x}" for number in range(1_010)}
    for name in names:
        objects.client.put_object(Bucket=BUCKET, Key=prefix + name, Body=b"")
    assert set(shared().list_older_than(-60)) == names


def test_copies_are_private(shared: OpenShared) -> None:
    other = shared("two")
    name = stored(shared("one"), DATA)
    read(other, name)
    assert other.copies.path(name).stat().st_mode & 0o077 == 0
    assert other.copies.stored.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///prefix",
        "s3://name:hunter2@bucket/prefix",
        "s3://bucket?endpoint=ftp://host",
        "s3://bucket?endpoint=http://[hunter2",
        "s3://bucket?pathstyle=1",
        "s3://bucket?path_style=maybe",
        "s3://bucket?hunter2",
        "gopher://hunter2",
    ],
)
def test_an_invalid_address_is_refused_without_being_repeated(url: str, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, blobs=url)
    with pytest.raises(Misconfigured, match="SLUICE_BLOBS must be") as refused:
        store_of(settings)
    assert "hunter2" not in str(refused.value)


def test_a_key_without_its_secret_is_refused(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, blobs="s3://bucket/prefix", blobs_key=SecretStr("key"))
    with pytest.raises(Misconfigured, match="SLUICE_BLOBS_SECRET"):
        store_of(settings)


async def test_a_private_authority_is_trusted_in_addition_to_the_public_ones(
    objects: ObjectStore, prefix: str, tmp_path: Path
) -> None:
    certificates = Certificates()
    own = tmp_path / "own.pem"
    certificates.authority.cert_pem.write_to_path(own)
    async with Wire(objects.gate.behind, certificates.server()).running() as wire:
        url = f"s3://{BUCKET}/{prefix}?endpoint=https://127.0.0.1:{wire.port}"
        access = BucketAccess(tmp_path / "cache", 10**9, SecretStr(objects.key), SecretStr(objects.secret))
        with pytest.raises(BlobsUnavailable, match=r"certificate is not trusted \(see SLUICE_CA_FILE\)"):
            await asyncio.to_thread(open_blobs(url, access).check)
        trusting = open_blobs(url, replace(access, ca_file=own))
        await asyncio.to_thread(trusting.check)
    trusted = ssl.create_default_context(cafile=str(tmp_path / "cache/authorities.pem"))
    assert len(trusted.get_ca_certs()) > 50
