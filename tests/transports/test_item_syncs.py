"""The files of item syncs: fetched over every protocol once nobody writes them any more, or named as missing."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from app.errors import Refused
from app.imports.sources.fetch import ROUNDS
from app.runs.deletion import delete_unowned, prune_runs
from app.runs.lifecycle import work_on
from app.runs.model import Run
from app.runtime import Runtime
from app.storage.access import administered
from app.storage.syncs import progress
from app.syncs.engine import work
from app.syncs.fetching import looking
from app.syncs.plan import seen_zip_to_json
from app.transports.transport import Remote, TransferPolicy
from tests.support.http import Account, stored_files
from tests.transports.servers.ftp import FtpServer, Script
from tests.transports.servers.server import PASSWORD, Server
from tests.transports.syncing import Syncing

MakePolicy = Callable[..., TransferPolicy]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 12, tzinfo=UTC)
ITEMS = b"ItemCode;Description\nA;Shirt\n"
FILTERS = b"ItemCode;ClassName;ClassValue\nA;Color;Red\n"
ZIP = b"PK\x05\x06" + b"\0" * 18


@pytest.fixture
async def ftp(running_ftp: FtpServer) -> FtpServer:
    """A shop's server with a file in each folder, and its pictures."""
    await running_ftp.clear()
    await running_ftp.store("items/a.csv", ITEMS, NOON)
    await running_ftp.store("itemfilters/f.csv", FILTERS, NOON)
    await running_ftp.store("itempictures.zip", ZIP, NOON)
    return running_ftp


@pytest.fixture
async def syncing(runtime: Runtime, an_account: Account, patient: MakePolicy) -> Syncing:
    return Syncing(runtime, an_account, patient())


def failure_of(run: Run) -> tuple[str, str | None, str | None]:
    return run.state, run.fail_code, run.fail_detail


async def test_all_files_of_the_folders_are_fetched_in_the_order_of_their_names(
    server: Server, syncing: Syncing
) -> None:
    if not server.patterns:
        pytest.skip("no lists")
    latin = "ItemCode;Description\nÄ;Größe\n"
    files = {
        "items/B.CSV": latin.encode("windows-1252"),
        "items/a.csv": ITEMS,
        "items/c.Csv": b"ItemCode\nC\n",
        "itemfilters/f.csv": FILTERS,
        "itempictures.zip": ZIP,
    }
    others = {"items/readme.txt": b"?", "items/a.csv.part": b"?", "items/deeper/d.csv": b"?", "itempictures2.zip": ZIP}
    for name, data in (files | others).items():
        await server.store(name, data, NOON)
    run = await syncing.start(await syncing.create(server.remote, encoding="windows-1252"))
    assert (run.kind, run.step, run.type, run.total) == ("sync", "fetch", "items", None)
    assert PASSWORD.encode() not in (run.secret or b"")

    run = await syncing.fetch(run)

    assert run.fail_detail is None
    fetched = await syncing.files(run)
    assert [(each.role, each.path) for each in fetched] == [
        *(("items", f"items/{name}") for name in ("B.CSV", "a.csv", "c.Csv")),
        ("filters", "itemfilters/f.csv"),
        ("images", "itempictures.zip"),
    ]
    assert [syncing.content(each) for each in fetched] == [latin.encode(), *list(files.values())[1:]]
    assert [each.sha256 for each in fetched] == [hashlib.sha256(each).hexdigest() for each in files.values()]
    size = sum(map(len, files.values()))
    assert (run.file_bytes, run.fetched_bytes, run.secret) == (size, size, None)
    report = run.report or {}
    assert [each["path"] for each in report["files"]] == [each.path for each in fetched]
    assert report["images"] == {"status": "fetched", "path": "itempictures.zip"}
    assert await delete_unowned(syncing.runtime, [each.blob for each in fetched]) == 0


async def test_a_file_beyond_the_quota_of_the_account_fails_its_run(ftp: FtpServer, syncing: Syncing) -> None:
    await ftp.store("items/a.csv", ITEMS, NOON)
    run = await syncing.start(await syncing.create(ftp.remote))
    async with syncing.runtime.database.transaction() as session:
        await administered.set_quotas(session, syncing.account_id, '{"stored_bytes": 3}')
    run = await syncing.fetch(run)
    assert failure_of(run)[:2] == ("failed", "file_refused")
    assert "quota of stored files" in str(run.fail_detail)


async def test_a_file_that_is_still_written_is_left_until_it_is_whole(ftp: FtpServer, syncing: Syncing) -> None:
    await ftp.store("items/big.csv", b"ItemCode\n1")
    run = await syncing.slice(await syncing.start(await syncing.create(ftp.remote)))
    for half in (b"ItemCode\n10", b"ItemCode\n100\n"):
        await ftp.store("items/big.csv", half)
        run = await syncing.slice(run)
        assert not run.plan.get("settled")
    run = await syncing.fetch(run)
    assert [syncing.content(each) for each in await syncing.files(run)][1] == b"ItemCode\n100\n"
    assert run.plan["looks"] == 4


async def test_the_folders_are_looked_at_again_only_after_a_while(ftp: FtpServer, syncing: Syncing) -> None:
    run = await syncing.start(await syncing.create(ftp.remote, quiet_seconds=300))
    for _ in range(2):
        await work_on(syncing.runtime, run.id, work)
        assert (await syncing.get(run)).plan["looks"] == 1
    async with syncing.runtime.database.read() as session:
        wait = "SELECT extract(epoch FROM due_at - now())::float FROM runs WHERE id = :id"
        assert 280 < (await session.execute(text(wait), {"id": run.id})).scalar_one() <= 300


async def test_files_that_never_come_to_rest_end_the_sync(
    ftp: FtpServer, syncing: Syncing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST_LOOKS", 3)
    run = await syncing.start(await syncing.create(ftp.remote))
    for number in range(4):
        await ftp.store("items/a.csv", ITEMS + b"x" * number)
        run = await syncing.slice(run)
    detail = "The files still changed after 3 looks at the folders. Nothing was changed"
    assert failure_of(run) == ("failed", "sync_unsettled", detail)


@pytest.mark.parametrize("change", ["other bytes", "gone"])
async def test_a_file_that_changes_after_the_last_look_begins_the_looks_again(
    ftp: FtpServer, syncing: Syncing, change: str
) -> None:
    await ftp.store("items/b.csv", b"ItemCode\nB\n", NOON)
    run = await syncing.start(await syncing.create(ftp.remote))
    while not run.plan.get("settled"):
        run = await syncing.slice(run)
    before = stored_files(syncing.runtime)
    if change == "gone":
        (ftp.folder / "items/b.csv").unlink()
    else:
        await ftp.store("items/b.csv", b"ItemCode\nNew\n", LATER)
    run = await syncing.slice(run)
    assert not run.plan.get("settled")
    assert stored_files(syncing.runtime) == before, "what was fetched is forgotten"
    run = await syncing.fetch(run)
    wanted = {"items/a.csv", "itemfilters/f.csv", "itempictures.zip"} | ({"items/b.csv"} if change != "gone" else set())
    assert {each.path for each in await syncing.files(run)} == wanted


WARNED = {
    "filters folder": ("folder_missing", "The folder `itemfilters/` does not exist, so nothing was read"),
    "no filters": ("folder_empty", "The folder `itemfilters/` has no `*.csv` file, so nothing was read"),
    "no zip": ("no_images", "The file `itempictures.zip` does not exist, so no pictures were read"),
    "no items": ("folder_empty", "The folder `items/` has no `*.csv` file, so nothing was read"),
}
FOLDER = "The folder `items/` of the item files does not exist. Nothing was changed"
FILES = "A full sync needs item files, and the folder `items/` has no `*.csv` file. Nothing was changed"


@pytest.mark.parametrize("mode", ["incremental", "full"])
@pytest.mark.parametrize("lack", ["items folder", *WARNED])
async def test_what_is_not_there_is_told_apart(ftp: FtpServer, syncing: Syncing, mode: Any, lack: str) -> None:
    lost = {"items folder": "items", "no items": "items", "filters folder": "itemfilters", "no filters": "itemfilters"}
    if lack == "no zip":
        (ftp.folder / "itempictures.zip").unlink()
    else:
        folder = ftp.folder / lost[lack]
        next(folder.iterdir()).unlink()
        if "folder" in lack:
            folder.rmdir()
    run = await syncing.fetch(await syncing.start(await syncing.create(ftp.remote), mode=mode))
    if lack == "items folder" or (lack == "no items" and mode == "full"):
        assert failure_of(run) == ("failed", "sync_no_items", FOLDER if lack == "items folder" else FILES)
    else:
        assert run.fail_code is None
        assert [(each["code"], each["message"]) for each in run.warnings] == [WARNED[lack]]


@pytest.mark.parametrize(
    ("rest", "size", "told"),
    [
        (b"\r\n-rw-r--r-- 1 root ro", "29", "The server's listing is not understood"),
        (b"\r\n", "18446744073709551615", "The server tells a size of the file that no file has"),
    ],
)
async def test_a_listing_that_is_not_understood_ends_the_sync_and_reads_nothing(
    syncing: Syncing, rest: bytes, size: str, told: str
) -> None:
    listing = b"-rw-r--r-- 1 root root 29 Nov 20  2026 a.csv" + rest
    async with Script({"LIST items/": listing}, {"SIZE": f"213 {size}"}).running() as script:
        remote = Remote("ftp", "127.0.0.1", script.port)
        run = await syncing.fetch(await syncing.start(await syncing.create(remote)))
    assert failure_of(run)[:2] == ("failed", "source_find")
    assert f"`items/`: {told}" in (run.fail_detail or "")


@pytest.mark.parametrize("fault", ["cut", "hangs"])
async def test_a_connection_that_breaks_off_in_the_middle_costs_nothing(
    ftp: FtpServer, runtime: Runtime, an_account: Account, patient: MakePolicy, fault: str
) -> None:
    syncing = Syncing(runtime, an_account, patient(idle_seconds=0.3))
    big = b"ItemCode\n" + b"".join(b"%06d\n" % number for number in range(100_000))
    await ftp.store("items/big.csv", big, NOON)
    (ftp.cut_after if fault == "cut" else ftp.stall_after)(300_000)
    run = await syncing.fetch(await syncing.start(await syncing.create(ftp.remote)))
    assert run.fail_code is None
    assert [syncing.content(each) for each in await syncing.files(run)][:2] == [ITEMS, big]


async def test_a_server_that_is_away_is_tried_again_and_then_the_sync_has_failed(
    ftp: FtpServer, syncing: Syncing, unused_tcp_port: int
) -> None:
    run, rounds = await syncing.start(await syncing.create(ftp.at(unused_tcp_port))), 0
    while not run.done:
        run, rounds = await syncing.slice(run), rounds + 1
        assert run.done or run.waiting_for == "source"
    assert (failure_of(run), rounds) == (("failed", "source_connect", "The server cannot be reached"), ROUNDS)


async def test_a_server_whose_files_are_never_those_that_it_lists_is_given_up(syncing: Syncing) -> None:
    once = replace(syncing.runtime.transfer_policy, tries=1)
    syncing.runtime = replace(syncing.runtime, transfer_policy=once)
    listing = b"-rw-r--r-- 1 root root 29 Nov 20  2026 a.csv\r\n"
    answers = {"SIZE": "213 29", "PWD": '257 "/" is here', "CWD": "250 yes"}
    script = Script({"LIST items/": listing, "RETR items/a.csv": ITEMS * 2}, answers)
    async with script.running():
        remote = Remote("ftp", "127.0.0.1", script.port)
        run, slices = await syncing.start(await syncing.create(remote, images_only_from_pim=True)), 0
        while not run.done:
            run, slices = await syncing.slice(run), slices + 1
    assert (run.fail_code, slices < 20) == ("sync_unsettled", True), run.fail_detail


async def test_each_file_that_has_come_gives_the_server_new_patience(ftp: FtpServer, syncing: Syncing) -> None:
    once = replace(syncing.runtime.transfer_policy, tries=1)
    syncing.runtime = replace(syncing.runtime, transfer_policy=once)
    run = await syncing.start(await syncing.create(ftp.remote, images_only_from_pim=True))
    while not run.plan.get("settled"):
        run = await syncing.slice(run)
    for size in (1, len(ITEMS) + 1):  # in the first file, then in the second
        ftp.cut_after(size)
        run = await syncing.slice(run)
        assert (run.fetches, run.waiting_for) == (1, "source")
    assert [each.path for each in await syncing.files(run)] == ["items/a.csv"]
    assert (await syncing.fetch(run)).fail_code is None


@pytest.mark.parametrize("setting", ["images_only_from_pim", "pictures_by_separate_task"])
async def test_the_pictures_are_not_fetched_if_a_setting_says_so(
    ftp: FtpServer, syncing: Syncing, setting: str
) -> None:
    run = await syncing.fetch(await syncing.start(await syncing.create(ftp.remote, **{setting: True})))
    assert [each.role for each in await syncing.files(run)] == ["items", "filters"]
    assert (run.report or {})["images"]["status"] == "unwanted"
    assert not any("itempictures" in line for line in ftp.faults.asked)


@pytest.mark.parametrize("change", ["nothing", "time", "bytes"])
async def test_a_zip_that_was_taken_in_is_not_taken_in_again(ftp: FtpServer, syncing: Syncing, change: str) -> None:
    sync_id = await syncing.create(ftp.remote)
    first = await syncing.fetch(await syncing.start(sync_id))
    zipped = (await syncing.files(first))[-1]
    async with syncing.runtime.database.transaction() as session:
        await progress.remember_images(session, sync_id, seen_zip_to_json(zipped))
    await ended(syncing, first)
    await ftp.store("itempictures.zip", ZIP + b"more" * (change == "bytes"), LATER if change == "time" else NOON)
    ftp.faults.asked.clear()
    second = await syncing.fetch(await syncing.start(sync_id))
    wanted = {"nothing": ("unchanged", False), "time": ("unchanged", True), "bytes": ("fetched", True)}[change]
    retrieved = any(line.startswith("RETR") and "zip" in line for line in ftp.faults.asked)
    assert ((second.report or {})["images"]["status"], retrieved) == wanted
    assert ("images" in [each.role for each in await syncing.files(second)]) is (change == "bytes")
    if change == "time":  # it is known by its new time now
        await ended(syncing, second)
        ftp.faults.asked.clear()
        await syncing.fetch(await syncing.start(sync_id))
        assert not any(line.startswith("RETR") and "zip" in line for line in ftp.faults.asked)


async def ended(syncing: Syncing, run: Run) -> None:
    """As if it had been worked off."""
    async with syncing.runtime.database.transaction() as session:
        worked_off = "UPDATE runs SET state = 'finished', finished_at = now() WHERE id = :id AND finished_at IS NULL"
        await session.execute(text(worked_off), {"id": run.id})


async def test_files_that_are_too_large_or_too_many_are_refused_before_they_are_fetched(
    ftp: FtpServer, syncing: Syncing, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_id = await syncing.create(ftp.remote)
    settings = syncing.runtime.settings.model_copy(update={"max_file_bytes": 28})
    syncing.runtime = replace(syncing.runtime, settings=settings)
    run = await syncing.fetch(await syncing.start(sync_id))
    detail = "The file `items/a.csv` has 29 bytes, and at most 28 are read. Nothing was changed"
    assert failure_of(run) == ("failed", "sync_too_large", detail)
    monkeypatch.setattr(looking, "MOST_FILES", 1)
    await ftp.store("items/a.csv", b"ItemCode\n")
    await ftp.store("items/b.csv", b"ItemCode\n")
    run = await syncing.fetch(await syncing.start(sync_id))
    detail = "The folder `items/` has 2 CSV files, and at most 1 are read. Nothing was changed"
    assert failure_of(run) == ("failed", "sync_too_large", detail)
    assert not any(line.startswith("RETR") for line in ftp.faults.asked)


async def test_of_several_at_once_exactly_one_run_of_a_sync_is_accepted(ftp: FtpServer, syncing: Syncing) -> None:
    sync_id = await syncing.create(ftp.remote)
    started = await asyncio.gather(*(syncing.start(sync_id) for _ in range(5)), return_exceptions=True)
    refused = [each.code for each in started if isinstance(each, Refused)]
    assert (refused, len(started) - len(refused)) == (["sync_not_ended"] * 4, 1)
    await syncing.start(await syncing.create(ftp.remote))  # another one is free


async def test_a_run_keeps_the_settings_with_which_it_was_accepted(ftp: FtpServer, syncing: Syncing) -> None:
    sync_id = await syncing.create(ftp.remote, separator="|", trim_values=True)
    run = await syncing.start(sync_id, mode="full", dry_run=True)
    assert (run.options["sync"]["mode"], run.options["sync"]["separator"], run.options["dryRun"]) == ("full", "|", True)


async def test_the_files_go_with_their_run_at_the_end_of_its_retention(ftp: FtpServer, syncing: Syncing) -> None:
    run = await syncing.fetch(await syncing.start(await syncing.create(ftp.remote)))
    blobs = [each.blob for each in await syncing.files(run)]
    await ended(syncing, run)
    await prune_runs(syncing.runtime)
    assert [each.blob for each in await syncing.files(run)] == blobs, "it has just ended"
    async with syncing.runtime.database.transaction() as session:
        old = "UPDATE runs SET finished_at = now() - interval '40 days' WHERE id = :id"
        await session.execute(text(old), {"id": run.id})
    await prune_runs(syncing.runtime)
    assert await syncing.files(run) == []
    assert not [blob for blob in blobs if any(blob in path for path in stored_files(syncing.runtime))]
    assert (await syncing.get(run)).report is None
