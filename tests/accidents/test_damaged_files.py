"""Stored files that change after they were accepted: nothing of what has changed is ever written or shown."""

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.errors import FAILURES, Refused, SourceLost
from app.imports.row_files.download import FAILED_ROWS, open_rows
from app.runs.model import Run
from app.storage.blobs import BlobDamaged, Blobs, FileBlobs, SharedBlobs
from app.storage.blobs.digests import BLOCK_BYTES
from tests.engine.conftest import ImportEngine, law
from tests.storage.conftest import OpenShared, objects, prefix, read, shared
from tests.support.object_store import BUCKET, ObjectStore
from tests.support.sweeps import few

__all__ = ["objects", "prefix", "shared"]

ROWS = 30_000
# 2.4 MB: two whole blocks and a half.
CONTACTS = "_email,_name\n" + "".join(
    f"contact{number:06}@example.org,{'Name ' * 10}{number:06}\n" for number in range(ROWS)
)
# The same with a bad row in each hundred.
SOME_BAD = "\n".join(
    line.replace("@", " ") if number % 100 == 50 else line for number, line in enumerate(CONTACTS.split("\n"))
)


def change(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def change_a_cell(path: Path) -> None:
    at = path.read_bytes().index(b"Name 020000")
    change(path, at, b"Mame")


def zero_a_page(path: Path) -> None:
    change(path, 1_500_000 // 4096 * 4096, bytes(4096))


def lose_a_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def lose_a_byte(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"late@example.org,Late\n")


def lose_everything(path: Path) -> None:
    os.truncate(path, 0)


DAMAGES = [change_a_cell, zero_a_page, lose_a_half, lose_a_byte, grow, lose_everything]


def file_of(engine: ImportEngine, run: Run) -> Path:
    assert isinstance(engine.runtime.blobs, FileBlobs)
    return engine.runtime.blobs.path(run.blob or "")


@pytest.mark.parametrize("damage", few(DAMAGES, (change_a_cell, lose_a_half)))
async def test_an_import_whose_file_has_changed_fails_and_writes_nothing_of_it(
    engine: ImportEngine, damage: Callable[[Path], None]
) -> None:
    run = await engine.submit(CONTACTS)
    sound = file_of(engine, run).read_bytes()
    damage(file_of(engine, run))
    run = await engine.finish(run)
    assert (run.state, run.fail_code, run.fail_detail) == ("failed", "source_damaged", FAILURES["source_damaged"])
    assert run.crashes == 0
    law(run)
    stored = await engine.sql("SELECT data ->> '_name' AS name FROM records WHERE run_id = :id", id=run.id)
    assert len(stored) == run.created
    assert {row["name"].encode() for row in stored} <= {line.rpartition(b",")[2] for line in sound.split(b"\n")}
    # Everything before the bad block may be there, and nothing else.
    bad = next(
        (at for at in range(0, len(sound), BLOCK_BYTES) if block(file_of(engine, run), at) != sound[at:][:BLOCK_BYTES]),
        len(sound) // BLOCK_BYTES * BLOCK_BYTES,
    )
    assert run.created <= sound[:bad].count(b"\n")


def block(path: Path, at: int) -> bytes:
    return path.read_bytes()[at:][:BLOCK_BYTES]


async def test_what_was_written_before_the_damage_stays_counted(engine: ImportEngine) -> None:
    one_slice = engine.with_settings(slice_seconds=0.001, batch_rows=5_000)
    run = await one_slice.submit(CONTACTS)
    run = await one_slice.slice(run)
    assert 0 < run.created < ROWS
    lose_a_byte(file_of(engine, run))
    ended = await engine.finish(run)
    assert (ended.state, ended.fail_code) == ("failed", "source_damaged")
    assert run.created <= ended.created < ROWS
    assert len(await engine.keys()) == ended.created
    law(ended)


async def test_a_file_without_digests_is_read_as_it_is(engine: ImportEngine) -> None:
    """Release 0.1 stored none."""
    run = await engine.submit(CONTACTS)
    await engine.sql("UPDATE runs SET blob_digests = NULL WHERE id = :id", id=run.id)
    assert (await engine.finish(run)).created == ROWS


async def test_failed_rows_of_a_damaged_file_break_off(engine: ImportEngine) -> None:
    run = await engine.run(SOME_BAD)
    assert run.failed == ROWS // 100
    whole = b"".join([piece async for piece in await open_rows(engine.runtime, run, FAILED_ROWS)])
    lose_a_byte(file_of(engine, run))
    pieces: list[bytes] = []

    async def download() -> None:
        async for piece in await open_rows(engine.runtime, run, FAILED_ROWS):
            pieces.append(piece)  # noqa: PERF401  what came before it broke off counts

    with pytest.raises(SourceLost):
        await download()
    assert whole.startswith(b"".join(pieces))
    assert len(b"".join(pieces)) < len(whole)


async def test_failed_rows_of_a_file_damaged_at_its_beginning_are_refused(engine: ImportEngine) -> None:
    run = await engine.run(SOME_BAD)
    change(file_of(engine, run), 20, b"x")
    with pytest.raises(Refused, match="damaged") as refused:
        await open_rows(engine.runtime, run, FAILED_ROWS)
    assert refused.value.code == "gone"


@pytest.mark.parametrize("size", [1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES])
@pytest.mark.parametrize("piece", [100_003, 4_000_000])
def test_digests_are_those_of_the_blocks_however_they_are_written(size: int, piece: int, tmp_path: Path) -> None:
    store, data = FileBlobs(tmp_path), os.urandom(size)
    writer = store.create()
    for at in range(0, size, piece):
        writer.write(data[at : at + piece])
    writer.commit()
    blocks = [data[at : at + BLOCK_BYTES] for at in range(0, size, BLOCK_BYTES)]
    assert writer.digests == b"".join(hashlib.blake2b(each, digest_size=16).digest() for each in blocks)
    with store.open(writer.name, writer.digests) as file:
        assert file.read() == data
        file.seek(size // 2)
        assert file.read(7) == data[size // 2 :][:7]
        assert file.seek(0, os.SEEK_END) == size
    store.path(writer.name).write_bytes(data + b"x")
    with pytest.raises(BlobDamaged):
        read_checked(store, writer.name, writer.digests)


def read_checked(store: Blobs, name: str, digests: bytes) -> bytes:
    with store.open(name, digests) as file:
        return file.read()


@pytest.mark.parametrize("damage", [change_a_cell, lose_a_half, lose_everything])
def test_a_damaged_copy_of_a_blob_in_a_bucket_is_fetched_again(
    shared: OpenShared, damage: Callable[[Path], None]
) -> None:
    here = shared()
    name, digests = stored_with_digests(here)
    damage(here.copies.path(name))
    assert read_checked(here, name, digests) == CONTACTS.encode()
    assert read(here, name) == CONTACTS.encode()


@pytest.mark.parametrize("declared", [True, False])
def test_a_blob_that_has_changed_in_the_bucket_is_damaged(
    shared: OpenShared, objects: ObjectStore, prefix: str, declared: bool
) -> None:
    """Whether or not the bucket still tells the digest of what was stored."""
    name, digests = stored_with_digests(shared("one"))
    place = {"Bucket": BUCKET, "Key": prefix + name}
    metadata = objects.client.head_object(**place)["Metadata"] if declared else {}
    objects.client.put_object(**place, Body=CONTACTS.replace("Name 020000", "Mame 020000").encode(), Metadata=metadata)
    with pytest.raises(BlobDamaged):
        read_checked(shared("two"), name, digests)


def stored_with_digests(store: SharedBlobs) -> tuple[str, bytes]:
    writer = store.create()
    writer.write(CONTACTS.encode())
    return writer.commit(), writer.digests


async def test_a_file_is_fetched_again_while_the_leases_are_renewed(
    engine: ImportEngine, shared: OpenShared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not on the event loop: other imports of the worker would lose their leases."""
    here = shared()
    engine = ImportEngine(replace(engine.runtime, blobs=here), engine.account_id)
    run, get, fetched_on = await engine.submit(CONTACTS), here.bucket.get, []

    def note(*arguments: Any) -> None:
        fetched_on.append(threading.current_thread())
        get(*arguments)

    monkeypatch.setattr(here.bucket, "get", note)
    change(here.copies.path(run.blob or ""), 20, b"x")
    assert (await engine.finish(run)).created == ROWS
    assert fetched_on
    assert threading.main_thread() not in fetched_on


async def test_an_import_from_a_bucket_whose_copy_is_damaged_is_written_whole(
    engine: ImportEngine, shared: OpenShared
) -> None:
    here = shared()
    engine = ImportEngine(replace(engine.runtime, blobs=here), engine.account_id)
    run = await engine.submit(CONTACTS)
    change_a_cell(here.copies.path(run.blob or ""))
    run = await engine.finish(run)
    assert (run.state, run.created) == ("finished", ROWS)
