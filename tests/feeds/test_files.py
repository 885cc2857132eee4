"""What becomes of the files of a folder that is watched: each version is imported once, and then dealt with."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.feeds.start import BROKEN, start_imports
from app.feeds.visit import describe_files
from app.feeds.watch import go_on
from app.storage.feeds import files
from app.transports.transport import FileInfo
from tests.feeds.conftest import BAD, Watched, over_all, rows
from tests.support.http import finish, post
from tests.support.workbooks import xlsx


@over_all
async def test_each_version_of_a_file_is_imported_once_and_then_moved(watched: Watched) -> None:
    feed = await watched.feed()
    for number, name in enumerate(("new", "old")):
        await watched.server.store(f"in/{name}.csv", rows(name), watched.clock.at - timedelta(hours=number))
    await watched.visit()
    assert await watched.start() == []
    assert {each["status"] for each in await watched.files(feed)} == {"settling"}

    await watched.visit()
    started = await watched.start()
    assert [(each["fileName"], each["name"]) for each in started] == [("old.csv", "Contacts"), ("new.csv", "Contacts")]
    await watched.work()
    await watched.visit()
    assert {"in/.keep", "done/new.csv", "done/old.csv"} <= await watched.server.names()
    seen = [(each["status"], each["afterwards"], each["movedTo"]) for each in await watched.files(feed)]
    assert seen == [("imported", "moved", "/done/new.csv"), ("imported", "moved", "/done/old.csv")]

    await watched.server.store("in/new.csv", rows("newer"), watched.clock.at)
    for _ in range(3):
        await watched.settle()
        await watched.start()
        await watched.work()
    last, second = (await watched.imports())[-1], (await watched.files(feed))[1]
    assert len(await watched.imports()) == 3
    assert second["movedTo"] == f"/done/new-{last['id']}.csv"
    assert await watched.server.stored(f"done/new-{last['id']}.csv") == rows("newer")
    assert await watched.server.stored("done/new.csv") == rows("new")


async def test_a_sheet_of_each_workbook_of_a_folder_is_imported(watched: Watched) -> None:
    workbook = xlsx({"Notes": [["nothing"]], "Contacts": [["_email", "_points"], ["ana@example.org", "#N/A"]]})
    await watched.server.store("in/a.xlsx", workbook, watched.clock.at)
    await watched.feed(request={"path": "/in/*.xlsx", "sheet": "Contacts"})
    await watched.settle()
    await watched.start()
    await watched.work()
    (done,) = await watched.imports()
    assert (done["status"], done["total"], done["failed"]) == ("finished", 1, 1)


async def test_a_file_that_grows_is_left_alone_until_it_does_not(watched: Watched) -> None:
    feed = await watched.feed()
    for number in range(1, 4):
        await watched.server.store("in/a.csv", rows("a") + b"b@example.org,2\n" * number)
        await watched.visit()
        assert await watched.start() == []
    assert [each["status"] for each in await watched.files(feed)] == ["settling"]
    await watched.visit(5)  # a feed may be asked to look at any time
    await watched.send("POST", f"/feeds/{feed}/check")
    assert await watched.start() == []
    await watched.visit()
    assert len(await watched.start()) == 1


async def test_files_that_fail_go_elsewhere_and_files_stay_where_they_are_kept(watched: Watched) -> None:
    failing = await watched.feed(afterwards="delete")
    kept = await watched.feed(name="Kept", request={"path": "/kept/*.csv"}, afterwards="keep", onFailed="keep")
    await watched.server.store("in/good.csv", rows("good"))
    await watched.server.store("in/rows.csv", rows("rows", BAD))
    await watched.server.store("in/whole.csv", b"what,is,this\n1,2,3\n")
    await watched.server.store("kept/a.csv", rows("a"))
    await watched.settle()
    await watched.start()
    await watched.work()
    await watched.visit()
    files = {"failed/rows.csv", "failed/whole.csv", "kept/a.csv"}
    assert await watched.server.names() == files | {f"{each}/.keep" for each in ("in", "done", "failed")}
    seen = {each["path"]: (each["status"], each["afterwards"]) for each in await watched.files(failing)}
    assert seen == {
        "/in/good.csv": ("imported", "deleted"),
        "/in/rows.csv": ("failed", "moved"),
        "/in/whole.csv": ("failed", "moved"),
    }
    assert [(each["status"], each["afterwards"]) for each in await watched.files(kept)] == [("imported", "kept")]
    assert (await watched.see(kept))["files"]["imported"] == 1
    await watched.settle()
    assert await watched.start() == []


async def test_a_file_that_disappears_is_forgotten_or_its_import_fails_alone(watched: Watched) -> None:
    feed = await watched.feed()
    await watched.server.store("in/a-settling.csv", rows("settling"))
    await watched.visit()
    await watched.server.remove("in/a-settling.csv")
    await watched.server.store("in/b-waiting.csv", rows("waiting"))
    await watched.settle()
    assert [(each["path"], each["status"]) for each in await watched.files(feed)] == [("/in/b-waiting.csv", "waiting")]
    await watched.server.remove("in/b-waiting.csv")
    await watched.visit()
    assert await watched.files(feed) == []

    await watched.server.store("in/c-started.csv", rows("started"))
    await watched.settle()
    (run,) = await watched.start()
    await watched.server.remove("in/c-started.csv")
    await watched.work()
    assert (await watched.imports())[-1]["failure"]["code"] == "source_find"
    await watched.visit()
    (file,) = await watched.files(feed)
    assert (file["status"], file["afterwards"], file["importId"]) == ("failed", "gone", run["id"])


@over_all
async def test_a_file_that_is_replaced_before_it_is_fetched_is_imported_as_the_new_one_alone(watched: Watched) -> None:
    feed = await watched.feed()
    await watched.server.store("in/a.csv", rows("old"), watched.clock.at - timedelta(hours=1))
    await watched.settle()
    assert len(await watched.start()) == 1
    await watched.server.store("in/a.csv", rows("new"), watched.clock.at)
    await watched.work()
    await watched.settle()
    await watched.start()
    await watched.work()
    await watched.visit()
    first, second = await watched.imports()
    assert (first["status"], second["status"], second["created"]) == ("failed", "finished", 1)
    assert first["failure"]["detail"] == "The file was replaced after it had been found, and before it was fetched"
    states = [(each["status"], each["afterwards"]) for each in await watched.files(feed)]
    assert states == [("failed", "gone"), ("imported", "moved")]
    assert await watched.server.stored("done/a.csv") == rows("new")


async def test_a_file_whose_import_was_deleted_before_its_end_was_noted_stays(watched: Watched) -> None:
    feed = await watched.feed()
    await watched.server.store("in/a.csv", rows("a"))
    await watched.settle()
    (run,) = await watched.start()
    await finish(watched.runtime, run["id"])
    assert (await watched.api.delete(f"/imports/{run['id']}")).status_code == 204
    await watched.start()
    await watched.settle()
    (file,) = await watched.files(feed)
    assert (file["status"], file["afterwards"]) == ("unknown", "kept")
    assert await watched.start() == []


async def test_moving_is_tried_until_it_is_done(watched: Watched) -> None:
    feed = await watched.feed(afterwards="move:/later")
    await watched.server.store("in/a.csv", rows("a"))
    await watched.settle()
    await watched.start()
    await watched.work()
    await watched.visit()
    (file,) = await watched.files(feed)
    assert (file["status"], file["afterwards"]) == ("imported", "pending")
    assert file["why"] == "The folder does not exist. It has to be there before a file is written to it"
    await watched.folders("later")
    await watched.visit(seconds=1)
    assert (await watched.files(feed))[0]["afterwards"] == "pending", "it was tried again at once"
    await watched.visit()
    (file,) = await watched.files(feed)
    assert (file["afterwards"], "why" in file) == ("moved", False)
    assert await watched.server.stored("later/a.csv") == rows("a")
    assert len(await watched.imports()) == 1


async def test_a_move_whose_answer_is_lost_is_done_once(watched: Watched) -> None:
    feed = await watched.feed()
    await watched.server.store("done/a.csv", rows("of yesterday"))
    await watched.server.store("in/a.csv", rows("a"))
    await watched.settle()
    await watched.start()
    await watched.work()
    watched.server.faults.lost_rename = True
    await watched.visit()
    (file,) = await watched.files(feed)
    assert (file["afterwards"], file["why"]) == ("pending", "The connection was lost")
    await watched.visit()
    (file,) = await watched.files(feed)
    assert (file["afterwards"], file["movedTo"]) == ("moved", f"/done/a-{file['importId']}.csv")
    assert await watched.server.stored(f"done/a-{file['importId']}.csv") == rows("a")
    assert await watched.server.stored("done/a.csv") == rows("of yesterday")


async def test_feeds_take_turns_and_leave_room_for_others(watched: Watched) -> None:
    """10 imports may be open in an account: 5 of its feeds."""
    feeds = {name: await watched.feed(name=name, request={"path": f"/{name}/*.csv"}) for name in ("many", "few")}
    for number in range(7):
        await watched.server.store(f"many/{number:02}.csv", rows(f"many{number}"))
    for number in range(3):
        await watched.server.store(f"few/{number:02}.csv", rows(f"few{number}"))
    await watched.settle()
    first = await watched.start()
    assert sorted(each["name"] for each in first) in (["few"] * 2 + ["many"] * 3, ["few"] * 3 + ["many"] * 2)
    assert len(await watched.start()) == 5
    for _ in range(5):
        assert (await post(watched.api, watched.account)).status_code == 201
    assert (await post(watched.api, watched.account)).json()["code"] == "E0401", "the queue is full"
    rounds = 0
    while await watched.start() and rounds < 10:
        rounds += 1
        await watched.work()
    for name, feed in feeds.items():
        assert {each["status"] for each in await watched.files(feed)} == {"imported"}
        accepted = [each["fileName"] for each in await watched.imports() if each.get("name") == name]
        assert accepted == sorted(accepted), "oldest first"


async def test_of_many_workers_one_starts_each_file_and_one_visits_each_folder(watched: Watched) -> None:
    feed = await watched.feed()
    for number in range(5):
        await watched.server.store(f"in/{number}.csv", rows(str(number)))
    await watched.settle()
    workers = [replace(watched.runtime) for _ in range(6)]
    await asyncio.gather(*(go_on(each) for each in workers))
    await asyncio.gather(*(start_imports(each, watched.clock.at) for each in workers))
    assert len(await watched.imports()) == 5
    runs = {each["importId"] for each in await watched.files(feed)}
    assert len(runs) == 5
    await watched.work()
    await asyncio.gather(*(watched.visit() for _ in range(4)))
    assert {each["afterwards"] for each in await watched.files(feed)} == {"moved"}
    assert len({each["movedTo"] for each in await watched.files(feed)}) == 5


async def test_a_feed_that_this_service_cannot_start_holds_up_no_other(watched: Watched) -> None:
    await watched.server.store("in/a.csv", rows("a"))
    broken, whole = await watched.feed(), await watched.feed(name="Whole")
    await watched.settle()
    await watched.sql("UPDATE feeds SET request = '{}' WHERE id = :id", id=broken)
    assert [each["name"] for each in await watched.start()] == ["Whole"]
    assert (await watched.see(broken))["problem"] == BROKEN
    assert (await watched.files(whole))[0]["status"] == "importing"


async def test_a_size_that_no_file_has_is_no_size(watched: Watched) -> None:
    """Some servers say -1, as a number without a sign, of a file whose size they do not know."""
    feed = await watched.feed()
    listed = describe_files(watched.connection, [FileInfo("/in/a.csv", 2**64 - 1), FileInfo("/in/b.csv", 2**63 - 1)])
    async with watched.runtime.database.transaction() as session:
        await files.record_look(session, feed, watched.connection, watched.clock.at, files=listed, settle=9)
    assert [each.get("size") for each in await watched.files(feed)] == [None, 2**63 - 1]


async def test_a_look_and_a_start_wait_for_each_other_in_one_order(watched: Watched) -> None:
    feed = await watched.feed()
    await watched.server.store("in/a.csv", rows("a"))
    await watched.settle()
    async with watched.runtime.database.transaction() as session:
        await session.execute(text("UPDATE feeds SET detail = detail WHERE id = :id"), {"id": feed})
        starting = asyncio.create_task(go_on(watched.runtime))
        waits = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        async with asyncio.timeout(20):
            while not (await session.execute(waits)).scalar_one():
                await asyncio.sleep(0.01)
        await session.execute(text("UPDATE seen_files SET gone_at = gone_at WHERE feed_id = :id"), {"id": feed})
    await starting
    assert [each["status"] for each in await watched.files(feed)] == ["importing"]


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_thousand_files_are_imported_in_their_order_without_anybody_asking(watched: Watched) -> None:
    feed = await watched.feed()
    for number in range(1_000):
        await watched.server.store(f"in/{number:04}.csv", rows(f"p{number}"), watched.clock.at - timedelta(hours=1))
    await watched.settle()
    open_at_once = []
    while started := await watched.start():
        open_at_once.append(len(started))
        await watched.work()
        await watched.visit(10)
    assert max(open_at_once) == 5
    accepted = await watched.names_of_imports()
    assert accepted == [f"{number:04}.csv" for number in range(1_000)]
    await watched.settle()
    assert {each["afterwards"] for each in await watched.files(feed)} == {"moved"}
    assert len([name for name in await watched.server.names() if name.startswith("done/0")]) == 1_000
