"""Feeds as an account declares them, and what they tell of their folders."""

import asyncio
from typing import Any

from app.feeds.feed import feed_from
from app.feeds.visit import Visit, visit_folder
from app.feeds.watch import FeedWatch, forget_old_files, go_on
from app.storage.feeds import visits
from tests.feeds.conftest import Watched, rows
from tests.support.http import make_account
from tests.transports.servers.server import black_hole

MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"name": ""}, "`name` must be 1 to 200 characters long, without line breaks or surrounding spaces"),
    "every": ({"every": 9}, "`every` must be at least 10"),
    "afterwards": (
        {"afterwards": "move:"},
        "`afterwards` must be keep, delete, or move: with a folder, such as move:/done",
    ),
    "onFailed": ({"onFailed": "delete"}, "`onFailed` must be keep, or move: with a folder, such as move:/failed"),
    "connectionId": (
        {"connectionId": "con_0"},
        "`connectionId` must be the id of a connection. There is no connection with this id",
    ),
    "extra": ({"extra": 1}, "`extra` is not a member of this request"),
    "request.type": (
        {"request": {"type": "none"}},
        'There is no record type "none". Declare it with PUT /types/none',
    ),
    "request.after": (
        {"request": {"after": "x"}},
        "`request.after` is not a member of this request: a feed knows which files it has imported",
    ),
    "request.path": ({"request": {"path": "/*/a.csv"}}, "Wildcards are allowed only in the last part of a path"),
    "request.mappingId": (
        {"request": {"mappingId": "map_0"}},
        "`request.mappingId` must be `default` or the id of a mapping template, and there is none with this id",
    ),
}


async def test_a_feed_that_could_import_nothing_is_refused(watched: Watched) -> None:
    for path, (changed, reason) in MISTAKES.items():
        refused = await watched.send("POST", "/feeds", 422, **watched.declared(**changed))
        assert refused["errors"] == [{"path": path, "reason": reason}]
    reason = "`afterwards` must name another folder than the one that is watched"
    for folder in ("in/", "/in/.", "/./in//"):
        refused = await watched.send("POST", "/feeds", 422, **watched.declared(afterwards=f"move:{folder}"))
        assert refused["errors"] == [{"path": "afterwards", "reason": reason}]
    refused = await watched.send("POST", "/feeds", 422, **watched.declared(request={"path": "/in/"}))
    reason = "`request.path` must end with the name of a file or a pattern, such as /in/*.csv"
    assert refused["errors"] == [{"path": "request.path", "reason": reason}]


async def test_a_feed_is_declared_read_replaced_paused_and_deleted(watched: Watched) -> None:
    feed = await watched.feed()
    seen = await watched.see(feed)
    assert (seen["request"], seen["every"]) == ({"path": "/in/*.csv", "type": "contacts", "delimiter": ","}, 60)
    assert (seen["status"], seen["enabled"], seen["failures"], "checkedAt" in seen) == ("new", True, 0, False)
    assert (await watched.send("POST", "/feeds", 409, **watched.declared()))["code"] == "name_taken"
    (listed,) = (await watched.send("GET", "/feeds"))["results"]
    assert (listed["id"], "request" in listed, "files" in listed) == (feed, False, False)

    await watched.server.store("in/a.csv", rows("a"))
    await watched.settle()
    assert not (await watched.send("POST", f"/feeds/{feed}/pause"))["enabled"]
    assert await watched.start() == []
    checked = await watched.send("POST", f"/feeds/{feed}/check")
    assert (checked["status"], checked["files"]["waiting"], "nextCheckAt" in checked) == ("ok", 1, False)
    await watched.send("POST", f"/feeds/{feed}/resume")
    assert len(await watched.start()) == 1

    as_answered = await watched.see(feed) | {"name": "Others", "every": 600}
    replaced = await watched.send("PUT", f"/feeds/{feed}", **as_answered)
    assert (replaced["name"], replaced["every"], replaced["status"]) == ("Others", 600, "new")
    await watched.work()
    await watched.settle()
    assert [each["status"] for each in await watched.files(feed)] == ["imported"], "what it has imported stays so"

    await watched.send("DELETE", f"/feeds/{feed}", 204)
    await watched.send("GET", f"/feeds/{feed}", 404)
    await watched.send("DELETE", f"/feeds/{feed}", 404)


async def test_files_are_listed_page_by_page_and_by_status(watched: Watched) -> None:
    feed = await watched.feed(afterwards="keep", onFailed="keep")
    for number in range(5):
        await watched.server.store(f"in/{number}.csv", rows(str(number)))
    await watched.visit()
    page: dict[str, Any] = await watched.send("GET", f"/feeds/{feed}/files?limit=2")
    paths = [each["path"] for each in page["results"]]
    while "next" in page["links"]:
        page = await watched.send("GET", page["links"]["next"])
        paths += [each["path"] for each in page["results"]]
    assert sorted(paths) == [f"/in/{number}.csv" for number in range(5)]
    assert len(await watched.files(feed, status="settling")) == 5
    assert await watched.files(feed, status="waiting") == []
    await watched.send("GET", f"/feeds/{feed}/files?cursor=x", 422)


async def test_a_missing_folder_an_empty_one_and_a_server_that_fails_are_told_apart(watched: Watched) -> None:
    feed = await watched.feed(request={"path": "/later/*.csv"})
    await watched.visit()
    seen = await watched.see(feed)
    assert (seen["status"], seen["detail"], seen["failures"]) == ("missing", "The folder does not exist", 1)
    await watched.folders("later")
    await watched.visit()
    seen = await watched.see(feed)
    assert (seen["status"], seen["failures"], "detail" in seen) == ("empty", 0, False)

    await watched.server.store("later/a.csv", rows("a"))
    await watched.settle()
    await watched.sql("UPDATE connections SET settings = settings || '{\"port\": 1}'")
    for failures, wait in ((1, 60), (2, 60), (3, 120)):
        await watched.visit()
        seen = await watched.see(feed)
        assert (seen["status"], seen["failures"]) == ("failing", failures)
        assert seen["detail"]
        await watched.visit(wait - 1)
        assert (await watched.see(feed))["failures"] == failures, "it was asked again too soon"
        await watched.visit(-wait + 2)
    assert [each["status"] for each in await watched.files(feed)] == ["waiting"], "nothing is forgotten"
    assert await watched.start() == [], "its import would fail"


async def test_a_feed_whose_imports_cannot_start_says_why_and_tries_again(watched: Watched) -> None:
    await watched.send("PUT", "/types/goods", 201, key="sku", fields=[{"id": "sku", "type": "text"}])
    feed = await watched.feed(request={"type": "goods"})
    await watched.server.store("in/a.csv", b"sku\n1\n")
    await watched.settle()
    await watched.sql("DELETE FROM record_types WHERE name = 'goods'")
    assert await watched.start() == []
    assert "goods" in (await watched.see(feed))["problem"]
    await watched.send("PUT", "/types/goods", 201, key="sku", fields=[{"id": "sku", "type": "text"}])
    assert await watched.start() == [], "it tries again every minute"
    watched.clock.go(60)
    assert len(await watched.start()) == 1
    assert "problem" not in await watched.see(feed)


async def test_a_feed_whose_connection_was_deleted_says_so(watched: Watched) -> None:
    feed = await watched.feed()
    assert (await watched.api.delete(f"/connections/{watched.connection}")).status_code == 204
    await watched.visit()
    seen = await watched.see(feed)
    assert (seen["status"], seen["detail"]) == ("failing", "There is no connection with this id")


async def test_a_feed_requires_the_scopes_of_what_it_does(watched: Watched) -> None:
    scopes = {"feeds:write", "imports:write", "connections:read", "mappings:read"}
    declared = watched.declared(request={"mappingId": "map_0"})
    for missing in scopes:
        key = await make_account(watched.runtime, sorted(scopes - {missing}), watched.account.name)
        answer = await watched.api.post("/feeds", json=declared, headers=key.headers)
        wanted = f"The API key does not have the scope `{missing}`"
        assert (answer.status_code, answer.json()["detail"]) == (403, wanted)


async def test_what_a_template_replaces_goes_on_only_for_those_who_may_delete(watched: Watched) -> None:
    body = {"name": "All", "type": "contacts", "columns": [{"column": "a", "field": "_email"}]}
    template = await watched.send("POST", "/mappings", 201, **body, options={"replace": True})
    request = {"path": "/in/*.csv", "mappingId": template["id"]}
    feed = await watched.feed(request=request)
    nightly = {"name": "All", "kind": "import", "connectionId": watched.connection, "cron": "0 2 * * *"}
    schedule = (await watched.send("POST", "/schedules", 201, **nightly, request=request))["id"]
    scopes = ["feeds:write", "schedules:write", "imports:write"]
    for more, status in (([], 403), (["imports:delete"], 200)):
        key = await make_account(watched.runtime, [*scopes, *more], watched.account.name)
        for path in (f"/feeds/{feed}/resume", f"/schedules/{schedule}/resume"):
            answer = await watched.api.post(path, headers=key.headers)
            assert answer.status_code == status, path
            assert status == 200 or "`imports:delete`" in answer.json()["detail"]


async def test_files_that_left_their_folder_are_forgotten_after_the_retention(watched: Watched) -> None:
    feed = await watched.feed(afterwards="delete")
    await watched.server.store("in/a.csv", rows("a"))
    await watched.settle()
    await watched.start()
    await watched.work()
    await watched.settle()
    assert "goneAt" in (await watched.files(feed))[0]
    await watched.sql("UPDATE seen_files SET gone_at = now() - interval '29 days'")
    await forget_old_files(watched.runtime)
    assert len(await watched.files(feed)) == 1
    await watched.sql("UPDATE seen_files SET gone_at = now() - interval '31 days'")
    await forget_old_files(watched.runtime)
    assert await watched.files(feed) == []


async def test_a_server_that_hangs_holds_up_no_other_accounts_feeds(watched: Watched) -> None:
    hanging = await make_account(watched.runtime)
    with black_hole() as port:
        nowhere = {"name": "hangs", "transport": "ftp", "host": "127.0.0.1", "port": port}
        made = await watched.api.post("/connections", json=nowhere, headers=hanging.headers)
        for number in range(3):
            declared = watched.declared(name=f"feed {number}", connectionId=made.json()["id"])
            await watched.api.post("/feeds", json=declared, headers=hanging.headers)
        feed = await watched.feed()
        watched.clock.go(60)
        watch = FeedWatch(watched.runtime)
        async with asyncio.TaskGroup() as group:
            assert await watch.begin_visits(group) == 3, "two of the account whose server hangs"
            async with asyncio.timeout(4):
                while (await watched.see(feed))["status"] == "new":
                    await asyncio.sleep(0.01)
            assert await watch.begin_visits(group) == 0, "the third has to wait"


async def test_a_visit_does_not_count_once_another_has_begun(watched: Watched) -> None:
    feed = await watched.feed()
    await watched.server.store("in/a.csv", rows("a"))
    begun = []
    for _ in range(2):
        async with watched.runtime.database.transaction() as session:
            row = await visits.claim_one(session, watched.account.id, feed, watched.clock.at, lease=60)
            assert row is not None
            begun.append(Visit(feed_from(row), watched.clock.at))
    await visit_folder(watched.runtime, begun[0])
    assert (await watched.files(feed), (await watched.see(feed))["status"]) == ([], "new")
    await visit_folder(watched.runtime, begun[1])
    assert (len(await watched.files(feed)), (await watched.see(feed))["status"]) == (1, "ok")


async def test_a_feed_of_a_suspended_account_neither_looks_nor_imports(watched: Watched) -> None:
    suspend = "UPDATE accounts SET suspended_at = CASE WHEN :suspended THEN now() END WHERE id = :id"
    account = watched.account.id
    await watched.server.store("in/a.csv", rows("ana"))
    feed = await watched.feed()
    await watched.settle()
    await watched.sql(suspend, suspended=True, id=account)
    await go_on(watched.runtime)
    await watched.server.store("in/b.csv", rows("bob"))
    await watched.settle()
    await watched.sql(suspend, suspended=False, id=account)
    assert await watched.names_of_imports() == []
    assert [each["path"] for each in await watched.files(feed)] == ["/in/a.csv"]
    await watched.settle()
    await watched.start()
    assert await watched.names_of_imports() == ["a.csv", "b.csv"]
