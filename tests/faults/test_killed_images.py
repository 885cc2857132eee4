"""A worker is killed or frozen while it takes in the pictures of a sync: none is lost, and none is decoded twice."""

import os
import signal

import psutil
import pytest

from app.pictures.process import SCRIPT
from app.runs.model import Run
from tests.faults.arena import Arena, until
from tests.support.archives import zip_of
from tests.support.item_syncs import SyncEngine
from tests.support.pictures import picture

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(180)]

COUNT = 8
IMAGES = "SELECT key FROM records WHERE account_id = $1 AND type = 'item-images'"
KEPT = "SELECT sha256, blob FROM pictures WHERE account_id = $1 ORDER BY sha256"


async def begun(arena: Arena) -> Run:
    """A sync of an item with many pictures, each of which takes its time, and one that is none."""
    pictures = {f"SHIRT_{number}.jpg": picture(size=(3_000 + number, 2_000)) for number in range(COUNT)}
    engine = SyncEngine(arena.runtime, arena.account_id)
    return await engine.submit("ItemCode\nSHIRT\n", images=zip_of(pictures | {"SHIRT.png": b"none"}))


async def assert_done(arena: Arena, run: Run) -> None:
    row = await arena.ended(run)
    assert (row["state"], row["fail_code"]) == ("finished", None)
    assert len(await arena.ask(IMAGES, arena.account_id)) == COUNT
    kept = await arena.ask(KEPT, arena.account_id)
    assert len(kept) == COUNT + 1
    assert sum(each["blob"] is not None for each in kept) == COUNT


def find_decoders(worker: int) -> list[psutil.Process]:
    """The processes that decode pictures for this worker. Other tests run beside this one, and have theirs."""
    return [each for each in psutil.Process(worker).children(recursive=True) if str(SCRIPT) in each.cmdline()]


async def test_a_worker_killed_between_pictures_leaves_those_that_are_kept(arena: Arena) -> None:
    run = await begun(arena)
    first = arena.worker()

    async def some_are_kept() -> bool:
        return len(await arena.ask(KEPT, arena.account_id)) >= 3

    await until(some_are_kept, "no picture is kept")
    decoders = find_decoders(first.pid)
    assert decoders
    os.kill(first.pid, signal.SIGKILL)
    kept = {each["sha256"]: each["blob"] for each in await arena.ask(KEPT, arena.account_id)}
    assert 3 <= len(kept) <= COUNT
    assert await arena.ask(IMAGES, arena.account_id) == []
    await until(lambda: not any(each.is_running() for each in decoders), "pictures are decoded without a worker")
    arena.worker()
    await assert_done(arena, run)
    assert kept.items() <= {each["sha256"]: each["blob"] for each in await arena.ask(KEPT, arena.account_id)}.items()


async def test_a_worker_killed_around_the_writing_of_images_loses_and_repeats_nothing(arena: Arena) -> None:
    run = await begun(arena)
    for step, images in (("pictures kept", 0), ("images written", COUNT)):
        worker = arena.worker(f"{step}:1:kill")
        assert await worker.ended() == -signal.SIGKILL
        assert len(await arena.ask(IMAGES, arena.account_id)) == images
    await assert_done(arena, run)


@pytest.mark.slow
async def test_a_worker_that_was_frozen_past_its_lease_writes_no_image(arena: Arena) -> None:
    run = await begun(arena)
    zombie = arena.worker("pictures kept:1:stop")
    await zombie.is_frozen()
    arena.worker()
    await assert_done(arena, run)
    before = await arena.ask("SELECT updated_at, run_row FROM records WHERE type = 'item-images' ORDER BY key")
    zombie.thaw()
    assert await zombie.stopped() == 0
    assert await arena.ask("SELECT updated_at, run_row FROM records WHERE type = 'item-images' ORDER BY key") == before


@pytest.mark.slow
async def test_postgresql_killed_while_pictures_are_kept_costs_time_and_no_crash(arena: Arena) -> None:
    run = await begun(arena)
    worker = arena.worker("pictures kept:1:wait")
    await worker.meets_fault()
    arena.servers.postgres.kill()
    worker.go_on()
    arena.servers.postgres.start()
    await assert_done(arena, run)
    assert not [line for line in worker.trace() if line.startswith("SliceFailed")]
