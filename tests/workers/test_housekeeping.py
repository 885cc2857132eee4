"""What workers do besides their tasks."""

import os

import pytest

from app.runtime import Runtime
from workers import housekeeping


async def test_what_cannot_be_cancelled_keeps_no_file_from_being_deleted(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Runtime) -> None:
        raise RuntimeError("a bug")

    writer = runtime.blobs.create()
    writer.write(b"of an upload that broke off")
    (orphan,) = runtime.blobs.root.rglob(writer.commit())  # type: ignore[attr-defined]
    os.utime(orphan, (0, 0))
    others = [fail if each is housekeeping.cancel_expired else each for each in housekeeping.PRUNING]
    assert fail in others
    monkeypatch.setattr(housekeeping, "PRUNING", others)
    with pytest.raises(RuntimeError, match="a bug"):
        await housekeeping.prune(runtime, "")
    assert not orphan.exists()
