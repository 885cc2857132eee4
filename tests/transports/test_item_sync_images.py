"""The pictures of an item sync: taken in from the ZIP of a folder, or reported with what is wrong with them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.item_images import archive
from app.item_images.archive import Turn
from app.item_images.shown import LOST
from app.runs.lifecycle import work_on
from app.runs.model import Run
from app.runtime import Runtime
from app.syncs import images
from app.syncs.engine import work
from app.transports.transport import TransferPolicy
from tests.engine.conftest import ImportEngine
from tests.support.archives import zip_of
from tests.support.http import Account
from tests.support.pictures import picture
from tests.transports.servers.ftp import FtpServer
from tests.transports.syncing import Syncing

SHIRT, CAP = picture(size=(60, 40)), picture("PNG", size=(50, 30))


@pytest.fixture
async def ftp(running_ftp: FtpServer) -> FtpServer:
    await running_ftp.clear()
    await store_items(running_ftp, "SHIRT")
    return running_ftp


async def store_items(ftp: FtpServer, *codes: str) -> None:
    await ftp.store("items/a.csv", "\n".join(["ItemCode", *codes]).encode())


@pytest.fixture
async def syncing(runtime: Runtime, an_account: Account, patient: Callable[..., TransferPolicy]) -> Syncing:
    return Syncing(runtime, an_account, patient())


async def reach_images(syncing: Syncing, run: Run) -> Run:
    """Works on the run until its step is `images`."""
    while run.step != "images":
        run = await syncing.slice(run)
    return run


def report_of(run: Run) -> dict[str, Any]:
    images: dict[str, Any] = (run.report or {})["images"]
    return images


def counts_of(run: Run) -> dict[str, int]:
    return {name: number for name, number in report_of(run).items() if isinstance(number, int) and number}


async def take_in(syncing: Syncing, sync_id: str, **more: Any) -> Run:
    run = await syncing.finish(await syncing.start(sync_id, **more))
    assert (run.state, run.fail_detail) == ("finished", None)
    return run


async def test_a_zip_is_taken_in_once_and_again_as_long_as_a_picture_waits_for_its_item(
    ftp: FtpServer, syncing: Syncing, client: httpx.AsyncClient, an_account: Account
) -> None:
    files = {"SHIRT_1.jpg": SHIRT, "CAP_1.png": CAP, "folder/": b"", "Thumbs.db": b"?", "read.me": b"?"}
    await ftp.store("itempictures.zip", zip_of(files))
    sync = await syncing.create(ftp.remote)

    run = await take_in(syncing, sync)
    assert counts_of(run) == {"added": 1, "failed": 2, "ignored": 2}
    assert [(each["name"], each["code"]) for each in report_of(run)["refused"]] == [
        ("CAP_1.png", "unknown_item"),
        ("read.me", "other_extension"),
    ]
    assert [(each["code"], each["count"]) for each in run.warnings if each["code"].startswith("images")] == [
        ("images_refused", 2)
    ]
    shown = (await client.get(f"/runs/{run.id}", headers=an_account.headers)).json()
    assert shown["report"]["images"]["refused"][0]["message"] == '"CAP_1.png" is named after no item'

    await store_items(ftp, "SHIRT", "CAP", "HAT")
    run = await take_in(syncing, sync)
    assert (report_of(run)["status"], counts_of(run)) == (
        "fetched",
        {"added": 1, "unchanged": 1, "failed": 1, "ignored": 2},
    )
    run = await take_in(syncing, sync)
    assert (report_of(run)["status"], counts_of(run)) == ("unchanged", {})
    image = (await client.get("/items/CAP/images", headers=an_account.headers)).json()["results"][0]
    assert (image["mediaType"], image["width"], image["height"]) == ("image/png", 50, 30)


@pytest.mark.parametrize("meanwhile", [False, True])
async def test_images_that_a_replacement_has_removed_come_back_with_the_next_sync_and_not_with_an_older_one(
    ftp: FtpServer, syncing: Syncing, an_account: Account, meanwhile: bool
) -> None:
    await store_items(ftp, "SHIRT", "CAP")
    sync = await syncing.create(ftp.remote)
    await ftp.store("itempictures.zip", zip_of({"SHIRT.jpg": SHIRT, "CAP.png": CAP}))
    await take_in(syncing, sync)
    imports = ImportEngine(syncing.runtime, syncing.account_id)
    if meanwhile:
        # As large as before, so that only its time tells it apart, of which FTP knows no less than a second.
        await ftp.store(
            "itempictures.zip", zip_of({"CAP.png": CAP, "SHIRT.jpg": SHIRT}), datetime(2026, 1, 1, tzinfo=UTC)
        )
        older = await reach_images(syncing, await syncing.start(sync))
    replacement = await imports.run("id,itemCode\nSHIRT_1,SHIRT\n", "item-images", replace=True)
    assert (replacement.state, replacement.removed) == ("finished", 1)
    if meanwhile:
        assert counts_of(await syncing.finish(older)) == {"skipped": 2}
    run = await take_in(syncing, sync)
    assert (report_of(run)["status"], counts_of(run)) == ("fetched", {"added": 1, "unchanged": 1})
    assert report_of(await take_in(syncing, sync))["status"] == "unchanged"


async def test_a_picture_that_changed_takes_the_place_of_the_old_one(
    ftp: FtpServer, syncing: Syncing, client: httpx.AsyncClient, an_account: Account
) -> None:
    await store_items(ftp, "SHIRT", "CAP", "HAT")
    sync = await syncing.create(ftp.remote)
    await ftp.store("itempictures.zip", zip_of({"SHIRT.jpg": SHIRT, "CAP.png": CAP}))
    await take_in(syncing, sync)
    before = (await client.get("/items/SHIRT/images/1", headers=an_account.headers)).headers["etag"]
    await ftp.store("itempictures.zip", zip_of({"SHIRT.jpg": picture(size=(61, 40))}))
    assert counts_of(await take_in(syncing, sync)) == {"changed": 1}
    after = await client.get("/items/SHIRT/images/1", headers=an_account.headers | {"If-None-Match": before})
    assert (after.status_code, after.headers["etag"] != before) == (200, True)
    assert (await client.get("/items/CAP/images/1", headers=an_account.headers)).status_code == 200


@pytest.mark.parametrize(
    ("file", "failure"),
    [
        (b"ItemCode;Description\n", "The file is not a ZIP file"),
        (zip_of({"SHIRT_1.jpg": SHIRT})[:-4], "The ZIP file is cut off: it has no end"),
    ],
)
async def test_a_zip_that_is_none_is_reported_and_fails_no_sync(
    ftp: FtpServer, syncing: Syncing, file: bytes, failure: str
) -> None:
    sync = await syncing.create(ftp.remote)
    await ftp.store("itempictures.zip", zip_of({"SHIRT_1.jpg": SHIRT}))
    await take_in(syncing, sync)
    await ftp.store("itempictures.zip", file)
    for _ in range(2):
        run = await take_in(syncing, sync, mode="full")
        assert (report_of(run)["status"], report_of(run)["failure"], counts_of(run)) == ("fetched", failure, {})
        assert run.warnings[-1]["message"] == f"`itempictures.zip`: {failure}. No picture was read"


async def test_a_stored_zip_that_is_lost_is_reported_and_fails_no_sync(ftp: FtpServer, syncing: Syncing) -> None:
    await ftp.store("itempictures.zip", zip_of({"SHIRT.jpg": SHIRT}))
    run = await reach_images(syncing, await syncing.start(await syncing.create(ftp.remote)))
    syncing.runtime.blobs.delete((await syncing.files(run))[-1].blob)
    run = await syncing.finish(run)
    assert (run.state, report_of(run)["failure"]) == ("finished", "The stored ZIP file is missing or damaged")


async def test_a_picture_that_is_lost_is_read_from_the_same_zip_again(
    ftp: FtpServer, syncing: Syncing, client: httpx.AsyncClient, an_account: Account
) -> None:
    await ftp.store("itempictures.zip", zip_of({"SHIRT.jpg": SHIRT}))
    sync = await syncing.create(ftp.remote)
    await take_in(syncing, sync)
    async with syncing.runtime.database.read() as session:
        kept = text("SELECT blob FROM pictures WHERE account_id = :id")
        syncing.runtime.blobs.delete((await session.execute(kept, {"id": an_account.id})).scalar_one())
    lost = await client.get("/items/SHIRT/images/1", headers=an_account.headers)
    assert (lost.status_code, lost.json()["detail"]) == (410, LOST)
    assert report_of(await take_in(syncing, sync))["status"] == "fetched"
    assert (await client.get("/items/SHIRT/images/1", headers=an_account.headers)).status_code == 200


async def test_files_beyond_the_limit_are_told_of(
    ftp: FtpServer, syncing: Syncing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_ENTRIES", 1)
    await ftp.store("itempictures.zip", zip_of({"SHIRT_1.jpg": SHIRT, "SHIRT_2.jpg": SHIRT}))
    run = await take_in(syncing, await syncing.create(ftp.remote))
    assert (counts_of(run), run.warnings[-1]["code"]) == ({"added": 1}, "images_cut")


async def test_in_full_mode_images_go_with_their_items_and_come_back_with_them(
    ftp: FtpServer, syncing: Syncing
) -> None:
    await store_items(ftp, "SHIRT", "CAP", "HAT")
    await ftp.store("itempictures.zip", zip_of({"SHIRT.jpg": SHIRT, "CAP.png": CAP}))
    sync = await syncing.create(ftp.remote)
    await take_in(syncing, sync)
    await store_items(ftp, "SHIRT", "HAT")
    assert counts_of(await take_in(syncing, sync)) == {}
    assert counts_of(await take_in(syncing, sync, mode="full")) == {"removed": 1}
    await store_items(ftp, "SHIRT", "CAP", "HAT")
    assert counts_of(await take_in(syncing, sync)) == {"added": 1, "unchanged": 1}


async def test_a_worker_that_lost_the_run_writes_no_image(
    ftp: FtpServer, syncing: Syncing, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ftp.store("itempictures.zip", zip_of({"SHIRT.jpg": SHIRT}))
    run = await reach_images(syncing, await syncing.start(await syncing.create(ftp.remote)))
    read = images.read_archive

    async def read_and_lose(runtime: Runtime, *given: Any) -> Any:
        found = await read(runtime, *given)
        async with runtime.database.transaction() as session:
            await session.execute(text("UPDATE runs SET attempt = attempt + 1 WHERE id = :id"), {"id": run.id})
        return found

    with monkeypatch.context() as patched:
        patched.setattr(images, "read_archive", read_and_lose)
        await work_on(syncing.runtime, run.id, work)
    async with syncing.runtime.database.transaction() as session:
        count = "SELECT count(*) FROM records WHERE account_id = :id AND type = 'item-images'"
        assert (await session.execute(text(count), {"id": syncing.account_id})).scalar_one() == 0
        await session.execute(text("UPDATE runs SET lease_until = NULL WHERE id = :id"), {"id": run.id})
    assert counts_of(await syncing.finish(run)) == {"added": 1}


async def test_a_worker_that_has_to_stop_gives_the_run_back_and_the_next_one_goes_on(
    ftp: FtpServer, syncing: Syncing
) -> None:
    await ftp.store("itempictures.zip", zip_of({"SHIRT.jpg": SHIRT}))
    run = await reach_images(syncing, await syncing.start(await syncing.create(ftp.remote)))
    await work_on(syncing.runtime, run.id, work, stopping=lambda: True)
    run = await syncing.get(run)
    assert (run.state, run.step, run.crashes) == ("running", "images", 0)
    assert counts_of(await syncing.finish(run)) == {"added": 1}


async def test_pictures_that_take_long_are_taken_in_by_turns_and_every_turn_comes_further(
    ftp: FtpServer, syncing: Syncing, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"SHIRT_{number}.jpg": picture(size=(60 + number, 40)) for number in range(3)}
    await ftp.store("itempictures.zip", zip_of(files))
    run = await reach_images(syncing, await syncing.start(await syncing.create(ftp.remote)))
    monkeypatch.setattr(images, "Turn", lambda stopping: Turn(stopping, seconds=0))
    async with syncing.runtime.database.transaction() as session:
        await session.execute(text("UPDATE runs SET crashes = 3 WHERE id = :id"), {"id": run.id})
    turns = [await syncing.slice(run) for _ in range(3)]
    assert [(turn.done, turn.crashes) for turn in turns] == [(False, 0), (False, 0), (True, 0)]
    assert counts_of(turns[-1]) == {"added": 3}
