"""Connections: stored with their secrets sealed, tested step by step, and imported from."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.auth.identity import Identity
from app.connections.check import check_connection
from app.connections.connection import load_connection
from app.connections.pull import WEB
from app.runs.model import AccountId
from app.runtime import Runtime
from app.transports.transport import Remote, TransferPolicy
from tests.conftest import Finish, NewAccount
from tests.support.http import Account, app_on, client_of
from tests.transports.servers.server import PASSWORD, USER, Server

Patient = Callable[..., TransferPolicy]
FILE = b"_email\nana@example.com\nbob@example.com\n"
MARKER = "mArKeR-0123456789"
HOST_KEY = f"SHA256:{'a' * 43}"
PEM = "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n"
FTP = {"transport": "ftp", "host": "a.example.com"}
SFTP = {"transport": "sftp", "host": "a.example.com", "hostKey": HOST_KEY}
OPTIONS = {"type": "contacts", "delimiter": ",", "overrideExisting": True, "updateOnlyEmptyFields": False}
S3 = {"transport": "s3", "bucket": "files", "accessKey": "a", "secretKey": "b"}
NAMES = {"host_key": "hostKey", "path_style": "pathStyle"} | {
    "private_key": "privateKey",
    "passphrase": "passphrase",
    "access_key": "accessKey",
    "secret_key": "secretKey",
    "session_token": "sessionToken",
}


def body(remote: Remote, name: str = "shop") -> dict[str, Any]:
    """The remote as a caller declares it."""
    told: dict[str, Any] = {"name": name, "transport": remote.scheme}
    told |= {} if remote.scheme == "s3" else {"host": remote.host, "port": remote.port}
    told |= {"user": remote.user or None, "password": remote.password.get_secret_value() if remote.password else None}
    for option, value in remote.options.items():
        told[NAMES.get(option, option)] = value if isinstance(value, str | bool) else value.get_secret_value()  # type: ignore[union-attr]
    return {member: value for member, value in told.items() if value not in (None, "")}


@pytest.fixture
async def pulls(runtime: Runtime, patient: Patient) -> Runtime:
    return replace(runtime, transfer_policy=patient())


@pytest.fixture
async def api(pulls: Runtime, an_account: Account) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app_on(pulls)) as client:
        client.headers.update(an_account.headers)
        yield client


async def made(api: httpx.AsyncClient, given: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post("/connections", json=given)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_connection_is_tested_step_by_step(server: Server, api: httpx.AsyncClient) -> None:
    await server.store("in/a.csv", FILE)
    connection = await made(api, body(server.remote))

    tried = (await api.post(f"/connections/{connection['id']}/test-import", json={"path": "in/a.csv"})).json()
    assert tried["ok"] is True
    assert [step["step"] for step in tried["steps"]] == ["connect", "find", "read"]
    assert tried["steps"][-1]["found"] == f"{len(FILE)} bytes"

    missing = (await api.post(f"/connections/{connection['id']}/test-import", json={"path": "in/b.csv"})).json()
    assert missing["ok"] is False
    assert missing["steps"][-1] == {"step": "find", "ok": False, "why": "The file does not exist"}

    written = (await api.post(f"/connections/{connection['id']}/test-export", json={"path": "in"})).json()
    if server.writes:
        assert [step["step"] for step in written["steps"]] == ["connect", "write", "delete"], written
        assert written["ok"] is True
    else:
        assert written["steps"][-1]["step"] == "write"
    assert await server.names() == {"in/a.csv"}


async def test_a_wrong_password_fails_the_authenticate_step(server: Server, api: httpx.AsyncClient) -> None:
    await server.store("a.csv", FILE)
    connection = await made(api, body(server.unwelcome()))
    tried = (await api.post(f"/connections/{connection['id']}/test-import", json={"path": "a.csv"})).json()
    assert tried["steps"][-1] == {
        "step": "authenticate",
        "ok": False,
        "why": "The server did not accept the credentials",
    }


async def test_an_import_names_a_connection_and_a_path(
    server: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    await server.store("in/a.csv", FILE)
    connection = await made(api, body(server.remote))
    parts = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
    parts |= {"connectionId": connection["id"], "path": "in/a.csv"}
    accepted = await api.post("/imports", files={name: (None, value) for name, value in parts.items()})
    assert accepted.status_code == 201, accepted.text
    assert (accepted.json()["total"], accepted.json()["remaining"]) == (None, None)
    assert PASSWORD not in accepted.text

    await finish(pulls, accepted.json()["id"])
    ended = (await api.get(f"/imports/{accepted.json()['id']}")).json()
    assert (ended["status"], ended["created"], ended["fetchedBytes"]) == ("finished", 2, len(FILE))


async def test_secrets_are_never_shown_and_never_stored_as_they_are(
    api: httpx.AsyncClient, pulls: Runtime, an_account: Account, logged: pytest.CaptureFixture[str]
) -> None:
    given = {"name": "x", "transport": "sftp", "host": "files.example.com", "user": USER, "hostKey": HOST_KEY}
    given |= {"password": MARKER, "privateKey": PEM.format(MARKER + "k"), "passphrase": MARKER + "p"}
    connection = await made(api, given)
    assert connection["secrets"] == ["passphrase", "password", "privateKey"]
    told = [(await api.get(f"/connections{path}")).text for path in ("", f"/{connection['id']}")]
    told.append((await api.put(f"/connections/{connection['id']}", json=given | {"name": "y"})).text)
    async with pulls.database.read() as session:
        rows = await session.execute(text("SELECT CAST(c AS text) FROM connections c"))
        told += list(rows.scalars())
    assert not any(MARKER in each or MARKER.encode().hex() in each for each in told)
    assert MARKER not in logged.readouterr().err


async def test_secrets_are_kept_unless_the_server_changes(api: httpx.AsyncClient) -> None:
    given = {"name": "x", "transport": "ftps", "host": "a.example.com", "user": "me", "password": "p"}
    connection = await made(api, given)
    without = {name: value for name, value in given.items() if name != "password"}
    kept = await api.put(f"/connections/{connection['id']}", json=without | {"name": "y"})
    assert (kept.status_code, kept.json()["secrets"], kept.json()["name"]) == (200, ["password"], "y")
    for change in ({"host": "b.example.com"}, {"port": 2121}, {"user": "you"}, {"transport": "ftp"}):
        moved = await api.put(f"/connections/{connection['id']}", json=without | change)
        assert (moved.status_code, moved.json()["errors"][0]["path"]) == (422, "password"), change


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"transport": "gopher"}, "transport"),
        ({"transport": None}, "transport"),
        ({"name": None}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"host": None}, "host"),
        ({"port": "21"}, "port"),
        ({"port": 6379}, "port"),
        ({"port": 25}, "port"),
        ({"port": True}, "port"),
        ({"bucket": "b"}, "bucket"),
        ({"hostKey": HOST_KEY}, "hostKey"),
        ({"password": 5}, "password"),
        ({"password": "\0"}, "password"),
        ({"colour": "red"}, "colour"),
        ({"username": "me"}, "username"),
        ({"host": "ftp://a.example.com/"}, "host"),
        ({"host": "a.example.com/x"}, "host"),
        ({"host": "a.example.com:21"}, "host"),
        ({"host": "me:hunter2@a.example.com"}, "host"),
        ({"host": "[::1]"}, "host"),
        (SFTP | {"hostKey": None}, "hostKey"),
        (SFTP | {"hostKey": "SHA256:…"}, "hostKey"),
        (SFTP | {"hostKey": "ssh-ed25519 AAAA"}, "hostKey"),
        (SFTP | {"privateKey": "abc"}, "privateKey"),
        ({"transport": "ftps", "tls": "maybe"}, "tls"),
        (S3 | {"host": None, "bucket": None}, "bucket"),
        (S3 | {"host": None, "secretKey": None}, "secretKey"),
        (S3 | {"host": None, "region": "Europe"}, "region"),
        (S3 | {"host": None, "region": "us-east-1-"}, "region"),
        (S3 | {"host": None, "pathStyle": "yes"}, "pathStyle"),
        (S3 | {"host": None, "endpoint": "minio.example.com"}, "endpoint"),
        (S3 | {"host": "minio.example.com"}, "host"),
        (S3 | {"host": None, "port": 9000}, "port"),
    ],
)
async def test_a_mistake_of_a_declaration_is_named_by_its_member(
    api: httpx.AsyncClient, change: dict[str, Any], path: str
) -> None:
    given = {"name": "x"} | FTP | change
    answer = await api.post("/connections", json={name: value for name, value in given.items() if value is not None})
    assert answer.status_code == 422, answer.text
    assert [each["path"] for each in answer.json()["errors"]] == [path]
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    "given",
    [
        FTP | {"host": "::1", "port": 2121},
        FTP | {"host": "größe.example.com", "root": "/in"},
        SFTP | {"hostKey": "trust-on-first-use", "privateKey": PEM.format("AAAA")},
        S3 | {"region": "eu-west-1"},
        S3 | {"endpoint": "https://minio.example.com:9000", "pathStyle": False},
    ],
)
async def test_a_valid_declaration_is_stored(api: httpx.AsyncClient, given: dict[str, Any]) -> None:
    shown = await made(api, given | {"name": "x"})
    assert {"accessKey", "secretKey", "privateKey"} >= given.keys() - shown.keys()


async def test_all_mistakes_are_reported_at_once(api: httpx.AsyncClient) -> None:
    wrong = FTP | {"name": "", "host": "ftp://x", "port": 25, "bucket": "b"}
    told = (await api.post("/connections", json=wrong)).json()["errors"]
    assert {each["path"] for each in told} == {"name", "host", "port", "bucket"}
    assert "host, port, user, root or password" in next(each["reason"] for each in told if each["path"] == "bucket")


async def test_of_many_unknown_members_the_first_are_named(api: httpx.AsyncClient) -> None:
    wrong = FTP | {"name": "x"} | {f"m{number:05}": 1 for number in range(50_000)}
    told = (await api.post("/connections", json=wrong)).json()["errors"]
    assert [each["path"] for each in told] == [f"m{number:05}" for number in range(20)]


async def test_a_transport_may_be_changed_with_the_secrets_that_the_new_one_has(api: httpx.AsyncClient) -> None:
    connection = await made(api, FTP | {"name": "x", "password": "p"})
    changed = await api.put(f"/connections/{connection['id']}", json=S3 | {"name": "x"})
    assert (changed.status_code, changed.json()["secrets"]) == (200, ["accessKey", "secretKey"])


async def test_the_path_of_a_test_is_a_string(api: httpx.AsyncClient) -> None:
    connection = await made(api, FTP | {"name": "x"})
    for purpose in ("test-import", "test-export"):
        answer = await api.post(f"/connections/{connection['id']}/{purpose}", json={"path": 5})
        errors = [{"path": "path", "reason": "`path` must be a string"}]
        assert (answer.status_code, answer.json()["errors"]) == (422, errors)


async def test_the_name_of_a_connection_is_unique(api: httpx.AsyncClient) -> None:
    given = {"name": "x", "transport": "ftp", "host": "a.example.com"}
    await made(api, given)
    other = await made(api, given | {"name": "y"})
    assert (await api.post("/connections", json=given)).status_code == 409
    assert (await api.put(f"/connections/{other['id']}", json=given)).status_code == 409
    names = [each["name"] for each in (await api.get("/connections")).json()["results"]]
    assert names == ["x", "y"]


async def test_another_account_has_no_such_connection(api: httpx.AsyncClient, a_key: NewAccount) -> None:
    connection = await made(api, {"name": "x", "transport": "ftp", "host": "a.example.com"})
    own, other = f"/connections/{connection['id']}", (await a_key()).headers
    assert (await api.get(own, headers=other)).status_code == 404
    assert (await api.put(own, headers=other, json={})).status_code == 404
    assert (await api.post(f"{own}/test-import", headers=other, json={"path": "a"})).status_code == 404
    assert (await api.delete(own, headers=other)).status_code == 404
    parts = {"type": "own", "connectionId": connection["id"], "path": "x"}
    await api.put("/types/own", headers=other, json={"key": "a", "fields": [{"id": "a", "type": "text"}]})
    started = await api.post("/imports", headers=other, files={name: (None, value) for name, value in parts.items()})
    assert (started.status_code, started.json()["errors"][0]["path"]) == (422, "connectionId")
    assert (await api.delete(own)).status_code == 204
    assert (await api.get(own)).status_code == 404


async def test_an_import_from_a_connection_needs_the_scope_to_read_it(
    api: httpx.AsyncClient, a_key: NewAccount
) -> None:
    importer = await a_key(scopes=["imports:write"])
    parts = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
    parts |= {"connectionId": "any", "path": "a.csv"}
    answer = await api.post(
        "/imports", headers=importer.headers, files={name: (None, value) for name, value in parts.items()}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), answer.text
    assert "`connections:read`" in answer.json()["detail"]


async def test_a_connection_moved_to_another_row_does_not_open(
    api: httpx.AsyncClient, pulls: Runtime, an_account: Account
) -> None:
    given = {"name": "x", "transport": "ftp", "host": "a.example.com", "password": "p"}
    first, second = await made(api, given), await made(api, given | {"name": "y", "host": "b.example.com"})
    async with pulls.database.transaction() as session:
        await session.execute(
            text("UPDATE connections SET secret = (SELECT secret FROM connections WHERE id = :a) WHERE id = :b"),
            {"a": first["id"], "b": second["id"]},
        )
    assert (await api.get(f"/connections/{second['id']}")).json()["secrets"] == []
    tried = await api.post(f"/connections/{second['id']}/test-import", json={"path": "a"})
    assert (tried.status_code, tried.json()["code"]) == (409, "secrets_locked")
    mended = await api.put(f"/connections/{second['id']}", json=given | {"name": "y"})
    assert (mended.status_code, mended.json()["secrets"]) == (200, ["password"])


async def test_a_pattern_starts_an_import_of_each_file_oldest_first(
    server: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    for number, name in enumerate(("c", "a", "b")):
        await server.store(f"in/{name}.csv", FILE, datetime(2024, 5, 1 + number, tzinfo=UTC))
    await server.store("in/other.txt", FILE)
    connection = await made(api, body(server.remote))
    own = f"/connections/{connection['id']}/imports"

    replacing = await api.post(own, json={"path": "in/*.csv", "type": "contacts", "replace": True})
    begun = await api.post(own, json={"path": "in/*.csv", "type": "contacts", "name": "Nightly"})
    if not server.patterns:
        assert begun.status_code == 422
        return
    # Each would remove what the one before it has brought.
    assert (replacing.status_code, [each["path"] for each in replacing.json()["errors"]]) == (422, ["replace"])
    assert begun.status_code == 201, begun.text
    assert (begun.json()["matched"], begun.json()["left"]) == (3, 0)
    assert [each["path"].rpartition("/")[2] for each in begun.json()["results"]] == ["c.csv", "a.csv", "b.csv"]
    for each in begun.json()["results"]:
        await finish(pulls, each["importId"])
        ended = (await api.get(f"/imports/{each['importId']}")).json()
        assert (ended["success"], ended["name"]) == (2, "Nightly")

    nothing = await api.post(own, json={"path": "in/*.json", "type": "contacts"})
    assert (nothing.status_code, nothing.json()["errors"]) == (
        422,
        [{"path": "path", "reason": "No file matches `path`"}],
    )


async def test_files_without_room_in_the_queue_are_counted_and_imported_later(
    api: httpx.AsyncClient, server: Server, pulls: Runtime, finish: Finish
) -> None:
    if not server.patterns:
        return
    for number in range(12):
        await server.store(f"in/{number:02}.csv", FILE)
    connection = await made(api, body(server.remote))
    begun = await api.post(f"/connections/{connection['id']}/imports", json={"path": "in/*", "type": "contacts"})
    assert (begun.json()["matched"], begun.json()["left"], len(begun.json()["results"])) == (12, 2, 10)

    own, asked = f"/connections/{connection['id']}/imports", {"path": "in/*", "type": "contacts"}
    full = await api.post(own, json=asked | {"after": begun.json()["next"]})
    assert full.status_code == 429
    seen = []
    while begun.status_code == 201:
        for each in begun.json()["results"]:
            seen.append(each["path"].rpartition("/")[2])
            await finish(pulls, each["importId"])
        if begun.json()["next"] is None:
            break
        begun = await api.post(own, json=asked | {"after": begun.json()["next"]})
    assert seen == [f"{number:02}.csv" for number in range(12)]


@pytest.mark.parametrize("path", ["in/*.csv", "a\nb", "x" * 1_025])
async def test_an_invalid_path_is_refused(api: httpx.AsyncClient, path: str) -> None:
    connection = await made(api, FTP | {"name": "x"})
    asked = OPTIONS | {"connectionId": connection["id"], "path": path}
    answer = await api.post("/imports", json=asked)
    assert (answer.status_code, [each["path"] for each in answer.json()["errors"]]) == (422, ["path"])
    if "*" not in path:
        answer = await api.post(f"/connections/{connection['id']}/imports", json={"type": "contacts", "path": path})
        assert (answer.status_code, [each["path"] for each in answer.json()["errors"]]) == (422, ["path"])


@pytest.mark.parametrize("after", ["x", "", "bm90aGluZw", "MjAyNC0wNS0wMVQwMDowMDowMCBh"])
async def test_a_cursor_that_was_never_issued_is_refused(api: httpx.AsyncClient, after: str) -> None:
    connection = await made(api, {"name": "x", "transport": "ftp", "host": "a.example.com"})
    asked = {"path": "x*", "type": "contacts", "after": after}
    answer = await api.post(f"/connections/{connection['id']}/imports", json=asked)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "after")


@pytest.mark.parametrize(
    "change",
    [
        {"path": ""},
        {"type": "nothing"},
        {"type": "contacts\0"},
        {"nullMarker": "\0"},
        {"blankCells": "x"},
        {"confirmEmail": "me"},
        {"name": ""},
    ],
)
async def test_an_invalid_import_from_a_connection_is_refused(api: httpx.AsyncClient, change: dict[str, Any]) -> None:
    connection = await made(api, {"name": "x", "transport": "ftp", "host": "a.example.com"})
    answer = await api.post(f"/connections/{connection['id']}/imports", json={"path": "x", "type": "contacts"} | change)
    assert answer.status_code in (404, 422), answer.text


async def test_an_import_carries_its_source(
    server: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    await server.store("in/a.csv", FILE)
    remote = {name: value for name, value in body(server.remote).items() if name != "name"}
    accepted = await api.post("/imports", json=OPTIONS | {"source": remote | {"path": "in/a.csv"}})
    assert accepted.status_code == 201, accepted.text
    assert PASSWORD not in accepted.text
    await finish(pulls, accepted.json()["id"])
    assert (await api.get(f"/imports/{accepted.json()['id']}")).json()["created"] == 2


async def test_members_of_a_request_that_are_not_known_are_ignored(api: httpx.AsyncClient) -> None:
    """As the parts of a form that are not."""
    more = {"bogus": 1, "source": FTP | {"path": "a.csv"}}
    assert (await api.post("/imports", json=OPTIONS | more)).status_code == 201
    wrong = await api.post("/imports", json=OPTIONS | more | {"nullMarker": 1})
    assert wrong.json()["errors"] == [{"path": "nullMarker", "reason": "`nullMarker` must be a string"}]


@pytest.mark.parametrize("options", [OPTIONS, OPTIONS | {"file": "a.csv"}])
async def test_a_request_without_a_file_is_answered_with_all_ways_to_send_one(
    api: httpx.AsyncClient, options: dict[str, Any]
) -> None:
    reason = "One of `file`, `connectionId` and `source` is required"
    as_json = await api.post("/imports", json=options)
    assert (as_json.status_code, as_json.json()["errors"]) == (422, [{"path": "file", "reason": reason}])


async def test_a_body_of_another_media_type_is_answered_with_both_media_types(api: httpx.AsyncClient) -> None:
    for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = await api.post("/imports", content=b'{"type": "contacts"}', headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        ways = "Send multipart/form-data with a `file`, application/json with a `source`, or the file itself as text"
        assert answer.json()["detail"].startswith(ways)


async def test_an_import_carries_a_web_address(
    web: Any, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    await web.store("in/a b.csv", FILE)
    source = {"transport": "https", "url": f"https://{web.remote.host}:{web.remote.port}/in/a%20b.csv"}
    source |= {"user": USER, "password": PASSWORD}
    parts = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
    form = {name: (None, value) for name, value in (parts | {"source": json.dumps(source)}).items()}
    accepted = await api.post("/imports", files=form)
    assert accepted.status_code == 201, accepted.text
    await finish(pulls, accepted.json()["id"])
    ended = (await api.get(f"/imports/{accepted.json()['id']}")).json()
    assert (ended["status"], ended["created"], ended["fileName"]) == ("finished", 2, "a%20b.csv")


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("text", "source"),
        ({}, "source.transport"),
        ({"transport": "ftp", "path": "a"}, "source.host"),
        (FTP, "source.path"),
        (FTP | {"path": "a\nb"}, "source.path"),
        (FTP | {"path": "in/*.csv"}, "source.path"),
        (FTP | {"path": 5}, "source.path"),
        (FTP | {"path": "a", "port": 25}, "source.port"),
        (FTP | {"path": "a", "login": "me"}, "source.login"),
        (FTP | {"path": "a", "\ud800": "me"}, "source.?"),
        (SFTP | {"path": "a", "hostKey": None}, "source.hostKey"),
        (S3 | {"path": "a", "bucket": None}, "source.bucket"),
        ({"transport": "https", "url": "http://a.example.com/x"}, "source.url"),
        ({"transport": "https", "url": "https://me:hunter2@a.example.com/x"}, "source.url"),
        ({"transport": "https", "url": "https://a.example.com/x", "login": "me"}, "source.login"),
        ({"transport": "https", "url": "https://a.example.com/x", "path": "/x"}, "source.path"),
        (SFTP | {"path": "x", "colour": "red"}, "source.colour"),
    ],
)
async def test_a_mistake_of_a_source_is_named_by_its_path(api: httpx.AsyncClient, source: Any, path: str) -> None:
    form = {name: (None, str(value).lower()) for name, value in OPTIONS.items()}
    answer = await api.post("/imports", files=form | {"source": (None, json.dumps(source))})
    assert answer.status_code == 422, answer.text
    assert path in [each["path"] for each in answer.json()["errors"]]
    assert "hunter2" not in answer.text


async def test_a_source_may_use_the_words_of_cordial(
    server: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    words = {
        "host": "server",
        "user": "username",
        "hostKey": "host_key",
        "bucket": "aws_bucket",
        "region": "aws_region",
    }
    words |= {"accessKey": "aws_access_key_id", "secretKey": "aws_secret_access_key", "endpoint": "aws_endpoint"}
    await server.store("a.csv", FILE)
    source = {words.get(word, word): value for word, value in body(server.remote).items() if word != "name"}
    source |= {"transport": server.remote.scheme.upper(), "path": "a.csv"}
    asked = await api.post("/imports", json=OPTIONS | {"source": source})
    assert asked.status_code == 201, asked.text
    await finish(pulls, asked.json()["id"])
    assert (await api.get(f"/imports/{asked.json()['id']}")).json()["success"] == 2


async def test_a_bracket_alone_does_not_make_a_pattern_of_the_path_of_one_file(
    server: Server, api: httpx.AsyncClient, pulls: Runtime, finish: Finish
) -> None:
    await server.store("report [final].csv", FILE)
    connection = await made(api, body(server.remote))
    told = {"connectionId": connection["id"], "path": "report [final].csv"}
    asked = await api.post("/imports", json=OPTIONS | told)
    assert asked.status_code == 201, asked.text
    await finish(pulls, asked.json()["id"])
    assert (await api.get(f"/imports/{asked.json()['id']}")).json()["success"] == 2

    if server.patterns:
        own = f"/connections/{connection['id']}/imports"
        begun = await api.post(own, json={"type": "contacts", "path": "report [[]final].csv"})
        assert [each["path"] for each in begun.json()["results"]] == ["report [final].csv"], begun.text


async def test_a_successful_test_pins_a_host_key_that_is_trusted_on_first_use(
    server: Server, api: httpx.AsyncClient
) -> None:
    if server.remote.scheme != "sftp":
        return
    await server.store("a.csv", FILE)
    connection = await made(api, body(server.remote) | {"hostKey": "trust-on-first-use"})
    own = f"/connections/{connection['id']}"
    failed = await api.post(f"{own}/test-import", json={"path": "nothing"})
    assert (failed.json()["ok"], (await api.get(own)).json()["hostKey"]) == (False, "trust-on-first-use")
    tried = await api.post(f"{own}/test-import", json={"path": "a.csv"})
    key = (await api.get(own)).json()["hostKey"]
    assert key.startswith("SHA256:")
    assert tried.json()["steps"][0] == {"step": "connect", "ok": True, "found": f"host key {key}"}
    assert (await api.post(f"{own}/test-import", json={"path": "a.csv"})).json()["ok"] is True


async def test_what_the_last_tests_found_is_kept_until_the_connection_is_another(
    server: Server, api: httpx.AsyncClient
) -> None:
    await server.store("in/a.csv", FILE)
    given = body(server.remote)
    connection = await made(api, given)
    own, before = f"/connections/{connection['id']}", connection["updatedAt"]
    assert "lastTests" not in (await api.get(own)).json()
    await api.post(f"{own}/test-import", json={"path": "in/b.csv?token=1"})
    if server.remote.scheme in WEB:
        assert "token" not in (await api.get(own)).text
    read = (await api.post(f"{own}/test-import", json={"path": "in/a.csv"})).json()
    written = (await api.post(f"{own}/test-export", json={"path": "in"})).json()

    kept = (await api.get(own)).json()
    for purpose, told, path in (("import", read, "in/a.csv"), ("export", written, "in")):
        test = kept["lastTests"][purpose]
        assert (test["ok"], test["steps"], test["path"]) == (told["ok"], told["steps"], path)
        assert test["at"] > before
    assert kept["updatedAt"] == before, "a test is no change"
    (listed,) = (await api.get("/connections")).json()["results"]
    assert listed["lastTests"] == kept["lastTests"]

    renamed = (await api.put(own, json=given | {"name": "other"})).json()
    assert renamed["lastTests"] == kept["lastTests"]
    secret = next(name for name in ("password", "secretKey") if name in given)
    changed = (await api.put(own, json=given | {secret: "another"})).json()
    assert "lastTests" not in changed, "it may be that nobody gets in with it"


async def test_a_test_of_what_a_connection_was_before_is_not_kept(
    web: Any, api: httpx.AsyncClient, pulls: Runtime, an_account: Account
) -> None:
    given = body(web.remote)
    own = f"/connections/{(await made(api, given))['id']}"
    account_id, connection_id = AccountId(an_account.id), own.rpartition("/")[2]
    async with pulls.database.read() as session:
        before = await load_connection(session, pulls.vault, account_id, connection_id)
    assert (await api.put(own, json=given | {"password": "another"})).status_code == 200
    identity = Identity(an_account.key.partition(":")[0])
    assert not (await check_connection(pulls, account_id, before, "import", "a.csv", sender=identity)).ok
    assert "lastTests" not in (await api.get(own)).json()


async def test_a_connection_tells_what_uses_it(api: httpx.AsyncClient) -> None:
    ours, other = await made(api, FTP | {"name": "shop"}), await made(api, FTP | {"name": "other"})
    for name, connection in (("ours", ours), ("theirs", other)):
        found = {"connectionId": connection["id"]}
        request = {"path": "a.csv", "type": "contacts"}
        wanted = [
            ("/feeds", {"name": name, "request": {"path": "in/*.csv", "type": "contacts"}, **found}),
            ("/item-syncs", {"name": name, **found}),
            ("/schedules", {"name": f"{name} in", "kind": "import", "request": request, **found}),
            ("/schedules", {"name": f"{name} out", "kind": "export", "request": sent_to(connection["id"])}),
        ]
        for path, given in wanted:
            cron = {"cron": "0 2 * * *", "timezone": "UTC"} if path == "/schedules" else {}
            answer = await api.post(path, json=given | cron)
            assert answer.status_code == 201, answer.text
    uses = (await api.get(f"/connections/{ours['id']}")).json()["usedBy"]
    assert [(each["kind"], each["name"]) for each in uses] == [
        ("feed", "ours"), ("schedule", "ours in"), ("schedule", "ours out"), ("sync", "ours")
    ]  # fmt: skip
    assert (await api.get(f"/connections/{(await made(api, FTP | {'name': 'new'}))['id']}")).json()["usedBy"] == []


def sent_to(connection_id: str) -> dict[str, Any]:
    return {"type": "contacts", "destinations": [{"connectionId": connection_id, "path": "a.csv"}]}


async def test_the_query_of_a_web_address_is_not_a_pattern(web: Any, api: httpx.AsyncClient) -> None:
    connection = await made(api, body(web.remote))
    own = f"/connections/{connection['id']}"
    begun = await api.post(f"{own}/imports", json={"path": "/not-there.csv?day=1", "type": "contacts"})
    assert (begun.status_code, begun.json()["matched"]) == (201, 1)
    assert web.web.asked == [], "nothing is asked for before the worker does"
    tried = (await api.post(f"{own}/test-import", json={"path": "/not-there.csv?day=1"})).json()
    assert tried["steps"][-1]["why"] == "The file does not exist"


async def test_an_import_from_a_connection_has_a_mapping(
    api: httpx.AsyncClient, server: Server, pulls: Runtime, finish: Finish
) -> None:
    await server.store("in/a.csv", b"Mail;Wann\nana@example.com;31.01.1990\n")
    connection = await made(api, body(server.remote))
    columns = [
        {"column": "Mail", "field": "_email"},
        {"column": "Wann", "field": "_birthdate", "dateFormat": "DD.MM.YYYY"},
    ]
    mapping = {"columns": columns, "options": {"delimiter": ";"}}
    wanted = {"path": "in/a.csv", "type": "contacts", "mapping": mapping}
    answer = await api.post(f"/connections/{connection['id']}/imports", json=wanted)
    (started,) = answer.json()["results"]
    await finish(pulls, started["importId"])
    record = (await api.get("/records/contacts/ana@example.com")).json()
    assert record["data"] == {"_email": "ana@example.com", "_birthdate": "1990-01-31"}
    wrong = await api.post(f"/connections/{connection['id']}/imports", json=wanted | {"mapping": {"columns": []}})
    assert wrong.json()["errors"][0]["path"] == "mapping.columns"
    template = {"name": "People", "type": "contacts", **mapping}
    stored = (await api.post("/mappings", json=template)).json()["id"]
    by_id = {"path": "in/a.csv", "type": "contacts", "mappingId": stored}
    answer = await api.post(f"/connections/{connection['id']}/imports", json=by_id)
    (started,) = answer.json()["results"]
    # It is not fetched yet, and goes by its copy all the same.
    assert (await api.delete(f"/mappings/{stored}")).status_code == 204
    await finish(pulls, started["importId"])
    told = (await api.get(f"/imports/{started['importId']}")).json()
    assert (told["unchanged"], told["mapping"]) == (1, {"id": stored, "name": "People"})
    gone = await api.post(f"/connections/{connection['id']}/imports", json=by_id)
    assert [each["path"] for each in gone.json()["errors"]] == ["mappingId"]
