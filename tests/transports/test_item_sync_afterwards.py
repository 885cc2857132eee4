"""What becomes of the files of an item sync once all is written: moved, deleted or left, and never twice."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from app.connections.pull import Pull
from app.imports.sources.fetch import ROUNDS, seal_pull
from app.runs.holding.cancellation import cancel_run
from app.runs.holding.held import resume_run
from app.runs.model import Run
from app.runtime import Runtime
from app.transports.transport import TransferPolicy
from tests.support.http import Account
from tests.transports.servers.ftp import FtpServer
from tests.transports.syncing import Syncing

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LEFT = "The file `items/a.csv` was left where it is: "


@pytest.fixture
async def ftp(running_ftp: FtpServer) -> FtpServer:
    await running_ftp.clear()
    await running_ftp.store("items/a.csv", b"ItemCode\nA\n", NOON)
    await running_ftp.store("itemfilters/f.csv", b"ItemCode;ClassName;ClassValue\nA;Color;Red\n", NOON)
    await running_ftp.store("done/other.csv", b"?", NOON)
    return running_ftp


@pytest.fixture
async def syncing(runtime: Runtime, an_account: Account, patient: Callable[..., TransferPolicy]) -> Syncing:
    return Syncing(runtime, an_account, patient(tries=1))


async def written(syncing: Syncing, ftp: FtpServer, afterwards: str) -> Run:
    """A run of which all is written."""
    run = await syncing.start(await syncing.create(ftp.remote, afterwards=afterwards, images_only_from_pim=True))
    while run.step != "afterwards":
        run = await syncing.slice(run)
    assert not run.done
    return run


def warned(run: Run) -> list[str]:
    return [each["message"] for each in run.warnings if each["code"] == "file_left"]


async def test_files_are_moved_once_all_is_written(ftp: FtpServer, syncing: Syncing) -> None:
    run = await written(syncing, ftp, "move:done/")
    assert "items/a.csv" in await ftp.names()
    run = await syncing.slice(run)
    assert (run.state, run.secret, warned(run)) == ("finished", None, [])
    assert await ftp.names() == {"done/a.csv", "done/f.csv", "done/other.csv"}
    moved = {each["path"]: each["movedTo"] for each in (run.report or {})["files"]}
    assert moved == {"items/a.csv": "done/a.csv", "itemfilters/f.csv": "done/f.csv"}


async def test_files_are_deleted_if_that_is_asked_for(ftp: FtpServer, syncing: Syncing) -> None:
    run = await syncing.slice(await written(syncing, ftp, "delete"))
    assert (run.state, warned(run)) == ("finished", [])
    assert await ftp.names() == {"done/other.csv"}


async def test_a_plan_keeps_what_it_needs_to_move_the_files_until_somebody_decides(
    ftp: FtpServer, syncing: Syncing
) -> None:
    sync = await syncing.create(ftp.remote, afterwards="move:done", images_only_from_pim=True)
    run = await syncing.start(sync, dry_run=True)
    while run.state != "planned":
        run = await syncing.slice(run)
        assert not run.done, run.fail_detail
    given_up = await cancel_run(syncing.runtime, syncing.runtime.database.transaction(), run)
    assert (given_up.state, given_up.secret) == ("cancelled", None)

    run = await syncing.start(sync, dry_run=True)
    while run.state != "planned":
        run = await syncing.slice(run)
    run = await syncing.finish(await resume_run(syncing.runtime, syncing.runtime.database.transaction(), run))
    assert (run.state, warned(run)) == ("finished", [])
    assert await ftp.names() == {"done/a.csv", "done/f.csv", "done/other.csv"}


async def test_a_file_of_the_same_name_in_the_folder_stays(ftp: FtpServer, syncing: Syncing) -> None:
    await ftp.store("done/a.csv", b"older")
    run = await syncing.slice(await written(syncing, ftp, "move:done"))
    assert await ftp.stored("done/a.csv") == b"older"
    assert await ftp.stored(f"done/a-{run.id}.csv") == b"ItemCode\nA\n"


async def test_a_file_that_has_been_replaced_meanwhile_is_left_for_the_next_run(
    ftp: FtpServer, syncing: Syncing
) -> None:
    run = await written(syncing, ftp, "move:done")
    await ftp.store("items/a.csv", b"ItemCode\nNEW\n")
    run = await syncing.slice(run)
    assert (run.state, warned(run)) == ("finished", [f"{LEFT}it is not there any more, or it has been replaced"])
    assert await ftp.stored("items/a.csv") == b"ItemCode\nNEW\n"
    assert "done/f.csv" in await ftp.names()


@pytest.mark.parametrize(
    ("hindrance", "why"),
    [
        ("no folder", "the folder does not exist. It has to be there before a file is written to it"),
        ("no right", "the server does not allow this login to move the file"),
    ],
)
async def test_files_that_cannot_be_moved_cost_a_warning_and_not_the_sync(
    ftp: FtpServer, syncing: Syncing, hindrance: str, why: str
) -> None:
    run = await written(syncing, ftp, "move:nowhere" if hindrance == "no folder" else "move:done")
    if hindrance == "no right":
        ftp.permit("read")
    run = await syncing.slice(run)
    assert (run.state, warned(run)[0]) == ("finished", LEFT + why)


async def test_a_server_that_is_away_is_tried_again_and_then_the_files_are_left(
    ftp: FtpServer, syncing: Syncing, unused_tcp_port: int
) -> None:
    run = await written(syncing, ftp, "move:done")
    away = seal_pull(syncing.runtime, run.id, Pull(ftp.at(unused_tcp_port), "items/"))
    async with syncing.runtime.database.transaction() as session:
        changed = "UPDATE runs SET secret = :secret WHERE id = :id"
        await session.execute(text(changed), {"id": run.id, "secret": away})
    rounds = 0
    while not run.done:
        run, rounds = await syncing.slice(run), rounds + 1
    assert (run.state, len(warned(run)), rounds) == ("finished", 2, ROUNDS)
    assert warned(run)[0] == f"{LEFT}the server cannot be reached"
    assert "items/a.csv" in await ftp.names()


@pytest.mark.parametrize("noted", [True, False])
async def test_a_file_that_a_killed_worker_has_moved_is_found_moved(
    ftp: FtpServer, syncing: Syncing, noted: bool
) -> None:
    run = await written(syncing, ftp, "move:done")
    (ftp.folder / "items/a.csv").rename(ftp.folder / "done/a.csv")
    if noted:
        async with syncing.runtime.database.transaction() as session:
            note = "UPDATE sync_files SET moved_to = 'done/a.csv', moved_at = now() WHERE number = 1 AND run_id = :id"
            await session.execute(text(note), {"id": run.id})
    run = await syncing.slice(run)
    assert (run.state, warned(run)) == ("finished", [])
    report: dict[str, Any] = dict(run.report or {})
    assert [each["movedTo"] for each in report["files"]] == ["done/a.csv", "done/f.csv"]
