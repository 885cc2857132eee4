"""What is due is started once, at its time or as soon as it can be, and what has become of it is said."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.observe.metrics import Metrics
from app.schedules import start
from app.schedules.start import start_due
from app.syncs.intake import STILL_OPEN
from tests.conftest import NewAccount
from tests.schedules.conftest import Shop
from tests.transports.servers.server import Server, black_hole

FILE = b"_email\nana@example.com\n"
IMPORT = {"kind": "import", "request": {"path": "/in/*.csv", "type": "contacts", "name": "Nightly", "delimiter": ","}}


async def result_of(shop: Shop, schedule: str) -> dict[str, Any]:
    result: dict[str, Any] = (await shop.see(schedule))["lastResult"]
    return result


async def test_an_export_is_started_at_its_time_and_once(shop: Shop) -> None:
    schedule = await shop.schedule(timezone="Europe/Amsterdam", request={"type": "contacts", "gzip": True})
    await shop.look("2026-11-28T01:29:59")
    assert await shop.runs(schedule) == []
    for moment in ("2026-11-28T01:30:00", "2026-11-28T01:30:02"):
        await shop.look(moment)
    (run,) = await shop.runs(schedule)
    assert (run["kind"], run["createdBy"], run["fileName"][-7:]) == ("export", schedule, ".csv.gz")
    seen = await shop.see(schedule)
    assert (seen["lastRunId"], seen["lastRunStatus"], seen["failures"]) == (run["id"], "queued", 0)
    assert seen["nextRunAt"] == "2026-11-29T01:30:00.000Z"
    moment = "2026-11-28T01:30:00.000Z"
    assert seen["lastResult"] == {"status": "started", "plannedFor": moment, "at": moment, "runs": 1}
    deleted = await shop.send("DELETE", f"/exports/{run['id']}", 409)
    assert deleted["code"] == "export_not_ended"
    await shop.end_runs()
    await shop.send("DELETE", f"/exports/{run['id']}", 204)
    assert "lastRunStatus" not in await shop.see(schedule)


async def test_what_was_missed_is_made_up_for_once(shop: Shop) -> None:
    schedule = await shop.schedule()
    await shop.look("2026-12-01T12:00")  # four nights, in which no worker was there
    await shop.look()
    assert len(await shop.runs(schedule)) == 1
    seen = await shop.see(schedule)
    assert (seen["lastResult"]["plannedFor"], seen["lastResult"]["at"]) == (
        "2026-11-28T02:30:00.000Z",
        "2026-12-01T12:00:00.000Z",
    )
    assert seen["nextRunAt"] == "2026-12-02T02:30:00.000Z"


async def test_a_clock_that_is_set_back_starts_nothing_again(shop: Shop) -> None:
    schedule = await shop.schedule(cron="* * * * *")
    await shop.look("2026-11-27T12:01")
    await shop.end_runs()
    await shop.look("2026-11-27T11:59")
    shop.clock.set("2026-11-27T12:01:30")
    await shop.look()
    assert len(await shop.runs(schedule)) == 1


async def test_while_the_previous_run_has_not_ended_the_next_is_skipped(shop: Shop) -> None:
    schedule = await shop.schedule()
    await shop.look("2026-11-28T02:30")
    (run,) = await shop.runs(schedule)
    await shop.look("2026-11-29T02:30")
    assert len(await shop.runs(schedule)) == 1
    result = await result_of(shop, schedule)
    assert (result["status"], result["code"]) == ("skipped", "previous_not_ended")
    assert result["detail"] == f"The export {run['id']} that was started before has not ended"
    await shop.end_runs()
    await shop.look("2026-11-30T02:30")
    assert len(await shop.runs(schedule)) == 2


async def test_a_start_that_finds_no_room_is_tried_until_there_is_some(shop: Shop) -> None:
    for _ in range(5):
        await shop.send("POST", "/exports", 201, type="contacts")
    schedule = await shop.schedule()
    await shop.look("2026-11-28T02:30:00")
    result = await result_of(shop, schedule)
    assert (result["status"], result["code"], result["runs"]) == ("waiting", "queue_full", 0)
    await shop.end_runs()
    await shop.look("2026-11-28T02:30:29")
    assert await shop.runs(schedule) == []
    await shop.look("2026-11-28T02:30:31")
    assert len(await shop.runs(schedule)) == 1
    assert await result_of(shop, schedule) == {
        "status": "started",
        "plannedFor": "2026-11-28T02:30:00.000Z",
        "at": "2026-11-28T02:30:31.000Z",
        "runs": 1,
    }


async def test_every_file_of_a_folder_is_imported_as_there_is_room(shop: Shop, ftp: Server, connection: str) -> None:
    names = [f"in/{number:02}.csv" for number in range(12)]
    for age, name in enumerate(names):
        await ftp.store(name, FILE, datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=age))
    schedule = await shop.schedule(**IMPORT, connectionId=connection)
    await shop.look("2026-11-28T02:30:00")
    result = await result_of(shop, schedule)
    assert (result["status"], result["code"], result["runs"]) == ("waiting", "no_room", 10)
    assert result["detail"] == "10 imports were started. 2 files wait for room in the queue"
    await shop.look("2026-11-28T02:31:00")
    assert (await result_of(shop, schedule))["detail"].startswith("10 imports were started. 10 imports of this account")
    await shop.end_runs()
    await shop.look("2026-11-28T02:32:00")
    result = await result_of(shop, schedule)
    assert (result["status"], result["runs"]) == ("started", 12)
    runs = await shop.runs(schedule)
    assert [each["source"]["path"].lstrip("/") for each in runs] == names
    assert {(each["name"], each["type"], each["createdBy"]) for each in runs} == {("Nightly", "contacts", schedule)}
    assert (await shop.see(schedule))["nextRunAt"] == "2026-11-29T02:30:00.000Z"


async def test_an_item_sync_is_run_unless_a_run_of_it_is_open(shop: Shop, connection: str) -> None:
    sync = (await shop.send("POST", "/item-syncs", 201, name="App4Sales", connectionId=connection))["id"]
    schedule = await shop.schedule(kind="sync", syncId=sync, request={"mode": "full"})
    assert (await shop.see(schedule))["syncId"] == sync
    stored = await shop.send("GET", f"/item-syncs/{sync}")
    assert stored["scheduleIds"] == [schedule]
    assert (await shop.send("PUT", f"/item-syncs/{sync}", **stored))["scheduleIds"] == [schedule]
    await shop.look("2026-11-28T02:30")
    (run,) = await shop.runs(schedule)
    assert (run["kind"], run["createdBy"], run["name"]) == ("sync", schedule, "App4Sales")
    (settings,) = await shop.sql("SELECT options::text AS told FROM runs WHERE id = :id", id=run["id"])
    assert '"mode": "full"' in settings["told"]
    await shop.end_runs()
    await shop.send("POST", f"/item-syncs/{sync}/runs", 201)  # by hand
    await shop.look("2026-11-29T02:30")
    result = await result_of(shop, schedule)
    assert (result["status"], result["code"]) == ("skipped", "previous_not_ended")
    assert result["detail"] == STILL_OPEN
    await shop.end_runs()
    await shop.send("DELETE", f"/item-syncs/{sync}", 204)
    await shop.look("2026-11-30T02:30")
    assert (await result_of(shop, schedule))["detail"] == "There is no item sync with this id"


async def test_a_template_counts_as_it_is_when_it_starts(shop: Shop, ftp: Server, connection: str) -> None:
    await ftp.store("in/a.csv", FILE)
    columns = [{"column": "_email", "field": "_email"}]
    template = {"name": "T", "type": "contacts", "columns": columns, "options": {"delimiter": ";"}}
    mapping = (await shop.send("POST", "/mappings", 201, **template))["id"]
    request = {"path": "/in/a.csv", "type": "contacts", "mappingId": mapping}
    schedule = await shop.schedule(kind="import", connectionId=connection, request=request)
    assert (await shop.see(schedule))["request"] == request
    await shop.send("PUT", f"/mappings/{mapping}", **template | {"options": {"delimiter": "tab"}})
    await shop.look("2026-11-28T02:30")
    (run,) = await shop.runs(schedule)
    options = (await shop.send("GET", f"/imports/{run['id']}"))["options"]
    assert options["delimiter"] == "\t"


async def test_what_is_gone_is_named_and_counted_until_a_start_succeeds(
    shop: Shop, ftp: Server, connection: str
) -> None:
    template = {"name": "T", "type": "contacts", "columns": [{"column": "_email", "field": "_email"}]}
    mapping = (await shop.send("POST", "/mappings", 201, **template))["id"]
    request = {"path": "/in/a.csv", "type": "contacts", "mappingId": mapping}
    schedule = await shop.schedule(kind="import", connectionId=connection, request=request)
    await shop.send("DELETE", f"/mappings/{mapping}", 204)
    await shop.look("2026-11-28T02:30")
    seen = await shop.see(schedule)
    assert (seen["failures"], seen["lastResult"]["status"], seen["lastResult"]["code"]) == (1, "failed", "invalid")
    assert "`mappingId` must be `default` or the id of a mapping template" in seen["lastResult"]["detail"]

    await shop.send("DELETE", f"/connections/{connection}", 204)
    await shop.look("2026-11-29T02:30")
    seen = await shop.see(schedule)
    assert (seen["failures"], seen["lastResult"]["detail"]) == (2, "There is no connection with this id")
    assert (await shop.send("POST", f"/schedules/{schedule}/pause"))["failures"] == 2  # it need not be right for that
    await shop.send("POST", f"/schedules/{schedule}/resume")

    export = {"name": "Contacts", "kind": "export", "request": {"type": "contacts"}, "cron": "30 2 * * *"}
    await shop.send("PUT", f"/schedules/{schedule}", **export)
    await shop.look("2026-11-30T02:30")
    assert (await shop.see(schedule))["failures"] == 0


async def test_a_folder_without_a_file_is_skipped_and_a_server_that_is_away_waited_for(
    shop: Shop, ftp: Server, connection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ftp.store("in/a.txt", FILE)
    schedule = await shop.schedule(**IMPORT, connectionId=connection)
    await shop.look("2026-11-28T02:30")
    result = await result_of(shop, schedule)
    assert (result["status"], result["detail"]) == ("skipped", "No file matches `path`")

    await shop.sql("UPDATE connections SET settings = jsonb_set(settings, '{port}', '1') WHERE id = :id", id=connection)
    moment, waits = datetime(2026, 11, 29, 2, 30, tzinfo=UTC), [0.0, *start.AWAY_SECONDS]
    for tries, seconds in enumerate(waits, 1):
        moment += timedelta(seconds=seconds)
        await shop.look(f"{moment:%Y-%m-%dT%H:%M:%S}")
        result = await result_of(shop, schedule)
        expected = ("failed", "source_lost") if tries == len(waits) else ("waiting", "source_away")
        assert (result["status"], result["code"]) == expected, tries
    assert result["detail"].endswith(", and 6 tries have failed")
    assert (await shop.see(schedule))["nextRunAt"] == "2026-11-30T02:30:00.000Z"


async def test_servers_that_never_answer_hold_up_no_other_account(
    shop: Shop, ftp: Server, connection: str, a_key: NewAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "LIST_SECONDS", 0.5)
    monkeypatch.setattr(start, "MOST_AT_ONCE", 2)
    export = {"name": "A", "kind": "export", "request": {"type": "contacts"}, "cron": "31 2 * * *"}
    with black_hole() as port:
        moved = "UPDATE connections SET settings = jsonb_set(settings, '{port}', to_jsonb(CAST(:port AS int)))"
        await shop.sql(f"{moved} WHERE id = :id", port=port, id=connection)
        slow = [await shop.schedule(**IMPORT, name=name, connectionId=connection) for name in "BC"]
        shop.api.headers.update((await a_key()).headers)
        other = (await shop.send("POST", "/schedules", 201, **export))["id"]
        looking = asyncio.create_task(shop.look("2026-11-28T02:31"))
        while not await shop.runs(other):
            await asyncio.sleep(0.01)
            assert not looking.done()
        shop.api.headers.update(shop.account.headers)
        assert ["lastResult" in await shop.see(each) for each in slow] == [False, False]
        await looking
    for result in [await result_of(shop, each) for each in slow]:
        assert (result["status"], result["detail"]) == (
            "waiting",
            "The server did not list its files within 0.5 seconds. It is tried again",
        )


async def test_many_workers_start_each_schedule_once(shop: Shop) -> None:
    schedules = [await shop.schedule(name=f"Export {number}") for number in range(5)]
    shop.clock.set("2026-11-28T02:30")
    await asyncio.gather(*(start_due(shop.runtime) for _ in range(6)))
    assert [len(await shop.runs(each)) for each in schedules] == [1] * 5


async def test_a_change_while_a_worker_lists_files_counts(
    shop: Shop, ftp: Server, connection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was held up starts nothing that was paused, changed or started by another one meanwhile."""
    await ftp.store("in/a.csv", FILE)
    schedule = await shop.schedule(**IMPORT, connectionId=connection)
    whole = await shop.see(schedule)

    async def list_slowly(*args: Any, **more: Any) -> Any:
        for step in ("pause", "resume"):
            await shop.send("POST", f"/schedules/{schedule}/{step}")
        return await listing(*args, **more)

    listing = start.list_matching
    monkeypatch.setattr(start, "list_matching", list_slowly)
    await shop.look("2026-11-28T02:30")
    assert await shop.runs(schedule) == []
    assert (await shop.see(schedule))["nextRunAt"] == "2026-11-29T02:30:00.000Z"
    assert "lastResult" not in whole | await shop.see(schedule)


async def test_an_error_in_one_start_delays_no_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, whole = await shop.schedule(name="A"), await shop.schedule(name="B")
    await shop.sql("UPDATE schedules SET request = '[]' WHERE id = :id", id=broken)
    with pytest.raises(TypeError):
        await shop.look("2026-11-28T02:30")
    await shop.look()
    assert len(await shop.runs(whole)) == 1
    told = (await shop.see(broken))["lastResult"]
    sentence = "The service met an error that it did not expect, which its log describes"
    assert (told["status"], told["code"], told["detail"]) == ("waiting", "unexpected", f"{sentence}. It is tried again")
    await shop.sql("""UPDATE schedules SET request = '{"type": "contacts"}' WHERE id = :id""", id=broken)
    await shop.look("2026-11-28T02:30:31")
    assert len(await shop.runs(broken)) == 1


async def test_an_error_that_comes_again_and_again_counts_as_a_failure(shop: Shop) -> None:
    broken = await shop.schedule()
    await shop.sql("UPDATE schedules SET request = '[]' WHERE id = :id", id=broken)
    for minute in (30, 31, 33, 36, 42, 53):
        with pytest.raises(TypeError):
            await shop.look(f"2026-11-28T02:{minute}")
    seen = await shop.see(broken)
    assert (seen["failures"], seen["lastResult"]["status"]) == (1, "failed")
    assert seen["lastResult"]["detail"].endswith("which its log describes, and 6 tries have failed")
    assert seen["nextRunAt"] == "2026-11-29T02:30:00.000Z"


async def test_what_becomes_of_starts_is_counted(shop: Shop) -> None:
    schedule = await shop.schedule()
    before: Metrics = shop.runtime.observe.metrics
    started = before.registry.get_sample_value("sluice_schedules_total", {"status": "started"}) or 0
    await shop.look("2026-11-28T02:30")
    assert before.registry.get_sample_value("sluice_schedules_total", {"status": "started"}) == started + 1
    assert len(await shop.runs(schedule)) == 1


async def test_nothing_of_a_suspended_account_is_started_and_what_was_missed_is_made_up_for_once(shop: Shop) -> None:
    schedule = await shop.schedule()
    await shop.sql("UPDATE accounts SET suspended_at = now() WHERE id = :id", id=shop.account.id)
    for moment in ("2026-11-28T02:30", "2026-11-29T02:30"):
        await shop.look(moment)
    await shop.sql("UPDATE accounts SET suspended_at = NULL WHERE id = :id", id=shop.account.id)
    assert (await shop.runs(schedule), "lastResult" in await shop.see(schedule)) == ([], False)
    await shop.look()
    assert len(await shop.runs(schedule)) == 1
    assert (await result_of(shop, schedule))["plannedFor"] == "2026-11-28T02:30:00.000Z"
