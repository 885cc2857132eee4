"""Exports that are delivered to other servers: each destination is settled by itself, and none fails the export."""

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from app.exports import deliver
from app.runs.lifecycle import rescue_runs, work_on
from app.runtime import Runtime
from tests.conftest import Finish, NewAccount
from tests.support.http import PARTS, Account, stored_files
from tests.transports.servers.server import PASSWORD, Server
from tests.transports.test_connections import FTP, api, body, made, pulls
from workers.engines import ENGINES

__all__ = ["api", "pulls"]  # fixtures

CONTACTS = b"_email,_name\nana@example.com,Ana\nbob@example.com,Bob\n"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No destination waits for its next try."""
    monkeypatch.setattr(deliver, "WAITS", (0.0,) * len(deliver.WAITS))


async def fill(api: httpx.AsyncClient, runtime: Runtime, finish: Finish) -> None:
    answer = await api.post("/imports", data=PARTS, files={"file": ("a.csv", CONTACTS, "text/csv")})
    await finish(runtime, answer.json()["id"])


async def export(api: httpx.AsyncClient, *destinations: tuple[str, str], **more: Any) -> dict[str, Any]:
    """An export to these connections and paths, accepted."""
    named = [{"connectionId": connection, "path": path} for connection, path in destinations]
    answer = await api.post("/exports", json={"type": "contacts", "destinations": named} | more)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def read(api: httpx.AsyncClient, export_id: str) -> dict[str, Any]:
    return dict((await api.get(f"/exports/{export_id}")).json())


def told(export: dict[str, Any]) -> list[tuple[str, int, str | None]]:
    return [(each["status"], each["tries"], each.get("error")) for each in export["destinations"]]


async def column(runtime: Runtime, run_id: str, name: str) -> Any:
    async with runtime.database.read() as session:
        return (await session.execute(text(f"SELECT {name} FROM runs WHERE id = :id"), {"id": run_id})).scalar_one()


async def change(runtime: Runtime, run_id: str, assignment: str) -> None:
    async with runtime.database.transaction() as session:
        # PostgreSQL lets nobody claim a run who does not say that he knows its plan.
        await session.execute(text("SELECT set_config('sluice.plan_version', '1000', true)"))
        await session.execute(text(f"UPDATE runs SET {assignment} WHERE id = :id"), {"id": run_id})


def list_secrets(server: Server) -> list[str]:
    options = server.remote.options.values()
    return [PASSWORD, *(each.get_secret_value() for each in options if isinstance(each, SecretStr))]


@pytest.mark.usefixtures("writes")
async def test_the_file_goes_to_every_destination(
    server: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    await fill(api, pulls, finish)
    await server.store("out/contacts.csv", b"the one of yesterday")
    connection = (await made(api, body(server.remote)))["id"]
    started = await export(api, (connection, "out/contacts.csv"), (connection, "out/{type}-{date}-{time}-{id}.csv"))
    assert told(started) == [("pending", 0, None)] * 2
    path = started["destinations"][1]["path"]
    assert re.fullmatch(rf"out/contacts-\d{{4}}-\d\d-\d\d-\d{{6}}-{started['id']}\.csv", path)

    row = await column(pulls, started["id"], "runs::text")
    assert not any(secret in row for secret in list_secrets(server)), "a secret is stored in clear text"

    await finish(pulls, started["id"])
    assert b'sluice_deliveries_total{status="delivered"}' in pulls.observe.metrics.text()
    ended = await read(api, started["id"])
    assert (ended["status"], ended["written"], told(ended)) == ("finished", 2, [("delivered", 1, None)] * 2)
    assert ended["createdAt"] < ended["destinations"][0]["triedAt"] <= ended["finishedAt"]
    file = (await api.get(ended["file"]["url"])).content
    assert await server.names() == {"out/contacts.csv", path}
    assert await server.stored("out/contacts.csv") == await server.stored(path) == file
    assert PASSWORD not in str(ended)
    assert await column(pulls, started["id"], "secret") is None


async def test_an_export_that_is_run_again_goes_to_the_same_destinations(
    api: httpx.AsyncClient, an_account: Account, a_key: NewAccount
) -> None:
    connection = (await made(api, FTP | {"name": "x"}))["id"]
    first = await export(api, (connection, "{id}.csv"))
    answer = await api.post(f"/exports/{first['id']}/rerun")
    again = answer.json()
    assert (again["relation"], again["parentId"], told(again)) == ("rerun", first["id"], [("pending", 0, None)])
    assert again["destinations"][0]["path"] == f"{again['id']}.csv"
    narrow = await a_key(["exports:read", "exports:write"], an_account.name)
    for again_how in ("rerun", "retry"):
        answer = await api.post(f"/exports/{first['id']}/{again_how}", headers=narrow.headers)
        assert (answer.status_code, "connections:read" in answer.json()["detail"]) == (403, True)


@pytest.mark.usefixtures("writes")
async def test_a_destination_that_refuses_fails_alone_and_is_retried_alone(
    server: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    await fill(api, pulls, finish)
    right = (await made(api, body(server.remote)))["id"]
    wrong = (await made(api, body(server.unwelcome(), "wrong")))["id"]
    started = await export(api, (wrong, "{id}.csv"), (right, "b.csv"), name="Every contact")
    await finish(pulls, started["id"])
    ended = await read(api, started["id"])
    refused = ("failed", 1, "The server did not accept the credentials")
    assert (ended["status"], told(ended)) == ("finished", [refused, ("delivered", 1, None)])
    assert [each.get("failedStep") for each in ended["destinations"]] == ["authenticate", None]
    listed = (await api.get("/runs", params={"kind": "export"})).json()["results"]
    assert [(each["id"], each["outcome"]) for each in listed] == [(started["id"], "partial")]
    assert await server.names() == {"b.csv"}

    again = (await api.post(f"/exports/{started['id']}/retry")).json()
    assert (again["parentId"], again["relation"], told(again)) == (started["id"], "retry", [("pending", 0, None)])
    assert (again["name"], again["total"], again["written"], again["file"]["sha256"]) == (
        "Every contact", 2, 2, ended["file"]["sha256"],
    )  # fmt: skip
    retries = (await api.get("/runs", params={"parentId": f"aa_{started['id']}"})).json()["results"]
    assert [each["id"] for each in retries] == [again["id"]]
    twice = await api.post(f"/exports/{started['id']}/retry")
    assert (twice.status_code, twice.json()["code"]) == (409, "nothing_to_retry")
    assert twice.json()["detail"].startswith("Each delivery of this export that failed has been retried already")
    await finish(pulls, again["id"])
    assert told(await read(api, again["id"])) == [refused]

    # What was deleted is still needed by others; what was corrected is used as it is now.
    assert (await api.delete(f"/exports/{started['id']}")).status_code == 204
    assert (await api.put(f"/connections/{wrong}", json=body(server.remote, "wrong"))).status_code == 200
    third = (await api.post(f"/exports/{again['id']}/retry")).json()
    await finish(pulls, third["id"])
    assert told(await read(api, third["id"])) == [("delivered", 1, None)]
    assert (await api.post(f"/exports/{again['id']}/retry")).status_code == 409
    file = (await api.get(third["file"]["url"])).content
    assert await server.names() == {"b.csv", f"{started['id']}.csv"}
    assert await server.stored(f"{started['id']}.csv") == file

    stored = stored_files(pulls)
    assert (await api.delete(f"/exports/{again['id']}")).status_code == 204
    assert stored_files(pulls) == stored
    assert (await api.delete(f"/exports/{third['id']}")).status_code == 204
    assert len(stored_files(pulls)) == len(stored) - 1


@pytest.mark.usefixtures("hasty")
@pytest.mark.usefixtures("writes")
async def test_a_server_that_is_away_is_tried_four_times_and_no_other_waits_for_it(
    server: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish, unused_tcp_port: int
) -> None:
    await fill(api, pulls, finish)
    right = (await made(api, body(server.remote)))["id"]
    away = (await made(api, body(server.at(unused_tcp_port), "away")))["id"]
    started = await export(api, (away, "a.csv"), (right, "b.csv"))
    for _ in range(3):  # it is written, then each destination has its turn
        await work_on(pulls, started["id"], ENGINES["export"])
    now = await read(api, started["id"])
    assert (now["status"], now["waitingFor"], now["percent"]) == ("running", "destination", 99.9)
    assert "etaSeconds" not in now
    assert told(now) == [("pending", 1, "The server cannot be reached"), ("delivered", 1, None)]
    assert (await api.get(now["file"]["url"])).status_code == 200
    await finish(pulls, started["id"])
    ended = await read(api, started["id"])
    assert ended["status"] == "finished"
    assert told(ended) == [("failed", 4, "The server cannot be reached"), ("delivered", 1, None)]


async def test_a_destination_waits_longer_after_every_try(
    api: httpx.AsyncClient, pulls: Runtime, unused_tcp_port: int
) -> None:
    away = (await made(api, FTP | {"name": "away", "host": "127.0.0.1", "port": unused_tcp_port}))["id"]
    started = await export(api, (away, "a.csv"))
    await work_on(pulls, started["id"], ENGINES["export"])
    for seconds in deliver.WAITS:
        await work_on(pulls, started["id"], ENGINES["export"])
        waits = float(await column(pulls, started["id"], "extract(epoch FROM due_at - now())"))
        assert 0.4 * seconds < waits < 1.6 * seconds
        await change(pulls, started["id"], "due_at = now()")


@pytest.mark.usefixtures("writes")
async def test_a_connection_that_is_deleted_meanwhile_is_still_delivered_to(
    server: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    connection = (await made(api, body(server.remote)))["id"]
    started = await export(api, (connection, "a.csv"))
    assert (await api.delete(f"/connections/{connection}")).status_code == 204
    await finish(pulls, started["id"])
    assert told(await read(api, started["id"])) == [("delivered", 1, None)]


@pytest.mark.usefixtures("writes")
async def test_a_destination_that_kills_its_workers_is_given_up_and_the_export_is_not(
    server: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    connection = (await made(api, body(server.remote)))["id"]
    started = await export(api, (connection, "a.csv"), (connection, "b.csv"))
    await work_on(pulls, started["id"], ENGINES["export"])
    await change(pulls, started["id"], f"crashes = {pulls.settings.max_crashes - 1}")
    await finish(pulls, started["id"])
    ended = await read(api, started["id"])
    given_up = ("failed", 1, "The worker crashed 4 times in a row on this delivery")
    assert (ended["status"], told(ended)) == ("finished", [given_up, ("delivered", 1, None)])


async def test_one_crash_is_enough_to_give_up_a_destination_and_not_the_export(
    api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    strict = replace(pulls, settings=pulls.settings.model_copy(update={"max_crashes": 1}))
    connection = (await made(api, FTP | {"name": "never reached", "host": "127.0.0.1"}))["id"]
    started = await export(api, (connection, "a.csv"))
    await work_on(strict, started["id"], ENGINES["export"])
    await change(pulls, started["id"], "state = 'running', lease_until = now() - interval '1 second'")
    await rescue_runs(strict)
    await change(pulls, started["id"], "due_at = now()")
    await finish(strict, started["id"])
    ended = await read(api, started["id"])
    assert (ended["status"], told(ended)) == ("finished", [("failed", 1, "The worker crashed once on this delivery")])


@pytest.mark.usefixtures("writes")
async def test_a_file_that_is_damaged_is_not_delivered(
    server: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    connection = (await made(api, body(server.remote)))["id"]
    started = await export(api, (connection, "a.csv"))
    await work_on(pulls, started["id"], ENGINES["export"])
    stored = pulls.blobs.root / "stored"  # type: ignore[attr-defined]
    (path,) = stored.rglob(str(await column(pulls, started["id"], "blob")))
    path.write_bytes(b"x" + path.read_bytes()[1:])
    await finish(pulls, started["id"])
    ended = await read(api, started["id"])
    assert (ended["status"], ended["failure"]["code"]) == ("failed", "export_lost")
    assert told(ended) == [("failed", 0, "The export failed before this delivery")]
    assert await server.names() == set()
    refused = await api.post(f"/exports/{started['id']}/retry")
    assert (refused.status_code, "Run it again" in refused.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "must end with the name of a file"),
        ("out/", "must end with the name of a file"),
        ("out/../../etc/passwd", "must not contain the folder `..`"),
        ("..\\a.csv", "must not contain the folder `..`"),
        ("out/*.csv", "must not contain * and ?, because it names one file"),
        ("out/{day}.csv", "contains `{day}`, which is none of `{date}`, `{time}`, `{type}`, `{name}` or `{id}`"),
        ("out/{name}.csv", "contains `{name}`, so the export must have a `name`"),
        ("a\nb.csv", "is longer than 700 characters or contains unprintable characters"),
        ("x" * 701, "is longer than 700 characters or contains unprintable characters"),
    ],
)
async def test_a_path_that_cannot_be_delivered_to_is_refused(api: httpx.AsyncClient, path: str, reason: str) -> None:
    connection = (await made(api, FTP | {"name": "x"}))["id"]
    asked = {"type": "contacts", "destinations": [{"connectionId": connection, "path": each} for each in ("ok", path)]}
    answer = await api.post("/exports", json=asked)
    errors = [{"path": "destinations[1].path", "reason": f"`destinations[1].path` {reason}"}]
    assert (answer.status_code, answer.json()["errors"]) == (422, errors)
    assert (await api.get("/exports")).json()["results"] == []


@pytest.mark.usefixtures("writes")
async def test_a_name_leads_to_no_other_folder(
    server: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    connection = (await made(api, body(server.remote)))["id"]
    started = await export(api, (connection, "{name}.csv"), name="../Größe: 5/6 {id}")
    assert started["destinations"][0]["path"] == "-Größe- 5-6 -id-.csv"
    await finish(pulls, started["id"])
    assert await server.names() == {"-Größe- 5-6 -id-.csv"}


async def test_every_wrong_destination_is_named(api: httpx.AsyncClient) -> None:
    web = (await made(api, {"name": "web", "transport": "https", "host": "a.example.com"}))["id"]
    ftp = (await made(api, FTP | {"name": "x"}))["id"]
    targets = [(web, "a.csv"), ("con_none", ""), (ftp, "a.csv"), (ftp, "a.csv")]
    asked = [{"connectionId": connection, "path": path} for connection, path in targets]
    answer = await api.post("/exports", json={"type": "contacts", "destinations": asked})
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [
            {
                "path": "destinations[0].connectionId",
                "reason": "`destinations[0].connectionId` is a connection over https, and files are delivered over s3, "
                "sftp, ftps or ftp",
            },
            {"path": "destinations[1].connectionId", "reason": "There is no connection with this id"},
            {
                "path": "destinations[1].path",
                "reason": "`destinations[1].path` must end with the name of a file",
            },
            {"path": "destinations[3]", "reason": "`destinations[3]` is the same file as `destinations[2]`"},
        ],
    )
    many = [{"connectionId": ftp, "path": f"{number}.csv"} for number in range(11)]
    answer = await api.post("/exports", json={"type": "contacts", "destinations": many})
    assert [each["path"] for each in answer.json()["errors"]] == ["destinations"]


async def test_another_accounts_connection_is_none(
    api: httpx.AsyncClient, an_account: Account, a_key: NewAccount
) -> None:
    connection = (await made(api, FTP | {"name": "x"}))["id"]
    asked = {"type": "contacts", "destinations": [{"connectionId": connection, "path": "a.csv"}]}
    stranger = await a_key()
    answer = await api.post("/exports", json=asked, headers=stranger.headers)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "destinations[0].connectionId")
    narrow = await a_key(["exports:write"], an_account.name)
    answer = await api.post("/exports", json=asked, headers=narrow.headers)
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "The API key does not have the scope `connections:read`",
    )


async def test_only_what_has_failed_can_be_retried(api: httpx.AsyncClient, pulls: Runtime, finish: Finish) -> None:
    web = {"name": "web", "transport": "ftp", "host": "10.1.2.3"}  # no address that may be called
    connection = (await made(api, web))["id"]
    started = await export(api, (connection, "a.csv"))
    retry = f"/exports/{started['id']}/retry"
    answer = await api.post(retry)
    assert (answer.status_code, answer.json()["code"]) == (409, "export_not_ended")
    await finish(pulls, started["id"])
    assert [each["status"] for each in (await read(api, started["id"]))["destinations"]] == ["failed"]
    assert (await api.delete(f"/connections/{connection}")).status_code == 204
    answer = await api.post(retry)
    errors = [{"path": "destinations[0].connectionId", "reason": "There is no connection with this id"}]
    assert (answer.status_code, answer.json()["errors"]) == (422, errors)

    plain = await export(api)
    await finish(pulls, plain["id"])
    answer = await api.post(f"/exports/{plain['id']}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_retry")
