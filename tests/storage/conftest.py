"""Both kinds of stores: a folder, and a bucket with a folder for copies."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import asyncpg
import pytest
from pydantic import SecretStr

from app.storage.blobs import Blobs, BucketAccess, FileBlobs, SharedBlobs, open_blobs
from tests.support.object_store import ObjectStore, object_store

OpenShared = Callable[..., SharedBlobs]


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with object_store(tmp_path_factory.mktemp("objects")) as running:
        yield running


@pytest.fixture
def prefix() -> str:
    """A place in the bucket that no other test uses."""
    return f"of/{token_hex(6)}/"


@pytest.fixture
def shared(objects: ObjectStore, prefix: str, tmp_path: Path) -> OpenShared:
    """The blobs below `prefix` as a machine sees them: shared("machine", copies_bytes=…, key=…)."""

    def opened(machine: str = "here", **others: object) -> SharedBlobs:
        usual = BucketAccess(tmp_path / machine, 10**9, SecretStr(objects.key), SecretStr(objects.secret))
        store = open_blobs(objects.url(prefix), replace(usual, **others))  # type: ignore[arg-type]
        assert isinstance(store, SharedBlobs)
        return store

    return opened


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return FileBlobs(tmp_path / "blobs") if request.param == "folder" else request.getfixturevalue("shared")()


@pytest.fixture
async def empty_database(database_url: str) -> AsyncIterator[str]:
    """The address of an empty database of this test alone."""
    name = f"migrations_{token_hex(4)}"
    administrator = await asyncpg.connect(database_url)
    await administrator.execute(f"CREATE DATABASE {name}")
    yield database_url.rpartition("/")[0] + "/" + name
    await administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await administrator.close()


def stored(store: Blobs, data: bytes) -> str:
    """Stores a blob with this content and returns its name."""
    writer = store.create()
    writer.write(data)
    return writer.commit()


def read(store: Blobs, name: str) -> bytes:
    with store.open(name) as file:
        return file.read()


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}
