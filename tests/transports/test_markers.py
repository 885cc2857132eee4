"""A mark in place of every credential, by every way an import can take: afterwards it is found nowhere."""

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from aiosmtpd.smtp import AuthResult
from cryptography.fernet import Fernet
from pydantic import SecretStr
from redis.asyncio import Redis

from app.embedded import Servers
from app.transports.transport import Remote
from tests.support.servers import PEPPER, new_database, redis_number
from tests.transports.conftest import SERVERS
from tests.transports.marked import Marked, Marks, forms, killed, lines_of, running_marked
from tests.transports.servers.ftp import Script
from tests.transports.servers.server import Certificates, black_hole
from tests.transports.servers.sockets import listener, silence
from tests.transports.test_connections import PEM, body
from tests.workers.test_notices import Inbox, mail_server

FILE = b"_email,_points\nana@example.com,1\nbob@example.com,many\n"
PRODUCTS = b"productID,productName,price\nP1,One,1.5\nP2,,2\n"
WIDE = b"_email,_name\n" + b"".join(b"person%d@example.com,%s\n" % (n, b"x" * 1_000) for n in range(400))
REFUSED = b"_name\nAna\n"
TO = "ana@example.org"
SECRET = ("password", "privateKey", "passphrase", "accessKey", "secretKey", "sessionToken")
NAMES = ("aws_access_key_id", "aws_secret_access_key")
numbers = itertools.count()


class Gate(Inbox):
    """A mail server that knows one password, or at times none."""

    password = ""
    shut = False

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        right = not self.shut and given.password == self.password.encode()
        self.logins.append(right)
        return AuthResult(success=right, handled=False)


class House(Marked):
    """The service, and a server of each protocol that lets in whoever has the marked credentials."""

    sources: dict[str, Any]
    session: dict[str, str]  # credentials of S3 that end with a session
    key: dict[str, str]  # a private key that SFTP's server knows, and its passphrase

    async def connection(self, given: dict[str, Any]) -> str:
        answer = await self.ask("POST", "/connections", json=given | {"name": f"source {next(numbers)}"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def native(self, connection: str, path: str) -> list[str]:
        """The id of the run; none if the source was refused at once."""
        asked = {"path": path, "type": "contacts", "format": "csv", "confirmEmail": TO}
        answer = await self.ask("POST", f"/connections/{connection}/imports", json=asked)
        assert answer.status_code in (201, 422), answer.text
        return [each["importId"] for each in answer.json().get("results", [])]

    async def form(self, connection: str, path: str) -> list[str]:
        parts = {"type": "contacts", "delimiter": ",", "overrideExisting": "true", "updateOnlyEmptyFields": "false"}
        parts |= {"connectionId": connection, "path": path}
        answer = await self.ask("POST", "/imports", files={name: (None, value) for name, value in parts.items()})
        assert answer.status_code == 201, answer.text
        return [answer.json()["id"]]

    async def cordial(self, source: dict[str, Any]) -> list[str]:
        """The id of the job; none if the source was refused at once."""
        asked = {"source": source, "hasHeader": True, "confirmEmail": TO}
        answer = await self.ask("POST", "/v2/productimports", json=asked)
        assert answer.status_code in (200, 422), answer.text
        return [answer.json()["jobId"]] if answer.status_code == 200 else []

    async def tried(self, connection: str, path: str) -> list[bool]:
        """Whether the import and the export could be tried out to their ends."""
        asked = [("test-import", path), ("test-export", "")]
        answers = [
            await self.ask("POST", f"/connections/{connection}/{what}", json={"path": where}) for what, where in asked
        ]
        assert [answer.status_code for answer in answers] == [200, 200]
        return [answer.json()["ok"] for answer in answers]

    def tokened(self, scheme: str, path: str) -> str:
        """Web addresses end with a token."""
        return f"{path}?token={self.marks.new('query_token')}" if scheme.startswith("http") else path

    def spoiled(self, given: dict[str, Any]) -> dict[str, Any]:
        """With other credentials of the same sorts, all of them new marks; a private key only looks like one then."""
        found = {name: self.marks.new(name) for name in SECRET if name in given}
        return given | {name: PEM.format(mark) if name == "privateKey" else mark for name, mark in found.items()}


def cordial_source(remote: Remote, path: str) -> dict[str, Any]:
    if remote.scheme == "s3":
        names = {"aws_access_key_id": "access_key", "aws_secret_access_key": "secret_key"}
        told = {"aws_bucket": "bucket", "aws_region": "region", "aws_endpoint": "endpoint"}
        secrets = {member: remote.secret(name) for member, name in names.items()}
        return {"transport": "s3", "path": path, **secrets, **{name: remote.text(told[name]) for name in told}}
    assert remote.password
    login = {"username": remote.user, "password": remote.password.get_secret_value(), "transport": remote.scheme}
    if remote.scheme in ("http", "https"):
        return {"url": f"{remote.scheme}://{remote.host}:{remote.port}/{path}", **login}
    options = {name: remote.text(name) for name in ("tls", "host_key") if name in remote.options}
    return {"server": remote.host, "port": remote.port, "path": path, **login, **options}


def native_bodies(house: House, name: str) -> list[dict[str, Any]]:
    """The declarations of a source that let in: of SFTP and S3 a second one, with a key and with a session."""
    server = house.sources[name]
    given = body(server.remote)
    if name == "s3":
        return [given, given | house.session]
    if name != "sftp":
        return [given]
    return [given, {member: value for member, value in given.items() if member != "password"} | house.key]


@pytest.fixture(scope="module")
async def house(
    servers: Servers, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    folder, marks = tmp_path_factory.mktemp("marked"), Marks()
    database = await asyncio.to_thread(new_database, servers, "marked")
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(ExitStack())
        password = marks.new("password") + ":wörd/ %1"
        change = pytest.MonkeyPatch()
        patch.callback(change.undo)
        for module in ("http", "ftp", "sftp"):  # what the servers let in
            change.setattr(f"tests.transports.servers.{module}.PASSWORD", password)
        sources = {name: await stack.enter_async_context(begin(certificates)) for name, begin in SERVERS.items()}
        for option in ("access_key", "secret_key"):
            marks.add(option, sources["s3"].remote.secret(option))
        inbox = Gate()
        inbox.password = marks.new("smtp_password")
        await stack.enter_async_context(mail_server(certificates, kind="starttls", inbox=inbox))
        house = House(folder, servers, database, redis_number(servers, 7), inbox, {}, marks)
        house.sources, house.session = sources, await asyncio.to_thread(session_of, sources["s3"])
        for name, value in house.session.items():
            marks.add(name, value[:60])
        house.key = key_of(sources["sftp"], marks)
        house.environment = environment(house, certificates)
        yield await stack.enter_async_context(running_marked(house))


def session_of(server: Any) -> dict[str, str]:
    """Credentials of a role. Blocking."""
    keys = {
        name: server.remote.secret(option) for name, option in zip(NAMES, ("access_key", "secret_key"), strict=True)
    }
    known: Any = {"endpoint_url": f"http://127.0.0.1:{server.wire.behind}", "region_name": "us-east-1", **keys}
    people = boto3.client("iam", **known)
    everything = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    role = people.create_role(RoleName="role", AssumeRolePolicyDocument=everything)["Role"]["Arn"]
    people.put_role_policy(RoleName="role", PolicyName="all", PolicyDocument=everything)
    made = boto3.client("sts", **known).assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    told = {"accessKey": "AccessKeyId", "secretKey": "SecretAccessKey", "sessionToken": "SessionToken"}
    return {member: made[name] for member, name in told.items()}


def key_of(server: Any, marks: Marks) -> dict[str, str]:
    passphrase = marks.new("passphrase")
    pem = server.keys.user.export_private_key("pkcs8-pem", passphrase=passphrase).decode()
    lines = [marks.add("private_key", line) for line in lines_of(pem)]
    assert lines
    return {"privateKey": pem, "passphrase": passphrase}


def environment(house: House, certificates: Certificates) -> dict[str, str]:
    authority = house.folder / "authority.pem"
    certificates.authority.cert_pem.write_to_path(authority)
    house.marks.add("secret_key", PEPPER)
    vault = [house.marks.add("vault_key", Fernet.generate_key().decode()) for _ in range(2)]
    password = house.inbox.password  # type: ignore[attr-defined]
    return {
        "SLUICE_ALLOW_NETWORKS": "127.0.0.0/8",
        "SLUICE_CA_FILE": str(authority),
        "SLUICE_VAULT_KEYS": ",".join(vault),
        "SLUICE_SMTP_URL": f"smtp://user:{password}@127.0.0.1:{house.inbox.port}",
        "SLUICE_MAIL_FROM": "Sluice <sluice@example.org>",
    }


@pytest.fixture(autouse=True)
async def whole(house: House) -> None:
    house.inbox.shut = False  # type: ignore[attr-defined]
    for server in house.sources.values():
        await server.clear()


# The search itself


@pytest.mark.parametrize("before", ["", "a", "ab"])
@pytest.mark.parametrize("given", ["mark/ö-0123456789", None])
def test_a_mark_is_found_in_each_of_its_forms(given: str | None, before: str) -> None:
    marks = Marks()
    mark = marks.add("word", given) if given else marks.new("word")
    whole = f"{before}{mark}:more"
    told = [whole.encode(), base64.b64encode(whole.encode()), base64.urlsafe_b64encode(whole.encode())]
    told += [whole.encode().hex().encode(), quote(whole).encode(), repr(whole.encode()).encode(), ascii(whole).encode()]
    missed = [each for each in told if not marks.found_in(iter([("here", each)]))]
    assert not missed
    assert not marks.found_in(iter([("here", b"something else")]))
    assert len(forms(mark)) > 8


async def test_a_mark_is_found_in_each_place(house: House) -> None:
    planted = Marks()
    mark = planted.new("planted")
    await house.sources["http"].store(f"{mark}.csv", FILE)
    runs = await house.native(await house.connection(body(house.sources["http"].remote)), f"{mark}.csv")
    await house.ended(runs)
    await house.read_everything()
    async with Redis.from_url(house.redis_url) as redis:
        await redis.set("here", mark)
    (house.folder / "here.log").write_text(mark)
    process = await asyncio.create_subprocess_exec("python3", "-c", "input()", mark, stdin=asyncio.subprocess.PIPE)
    house.look_at_processes()
    process.kill()
    await process.wait()
    found = {
        each.partition(" in ")[2].partition(":")[0]
        for each in planted.found_in(iter([p async for p in house.places()]))
    }
    wanted = {"file here.log", "table runs", "valkey", "commands to valkey", "answers", "command lines", "mails"}
    assert wanted <= found


# The ways


async def test_after_an_import_that_went_well(house: House) -> None:
    runs = [run for each in await asyncio.gather(*(well(house, name) for name in house.sources)) for run in each]
    assert set(await house.ended(runs)) == {("finished", None)}
    assert house.inbox.taken
    assert set(house.inbox.logins) == {True}
    await house.clean()


async def well(house: House, name: str) -> list[str]:
    """Imports from one source by every way that there is."""
    server, runs = house.sources[name], []
    path, products = house.tokened(name, "in.csv"), house.tokened(name, "products.csv")
    await server.store(path, FILE)
    for given in native_bodies(house, name):
        connection = await house.connection(given)
        assert (await house.tried(connection, path))[0], name
        runs += await house.native(connection, path)
    runs += await house.form(connection, path)
    await server.store(products, PRODUCTS)
    jobs = await house.cordial(cordial_source(server.remote, products))
    assert jobs, name
    return runs + jobs


async def test_after_a_connection_was_changed_and_refused(house: House) -> None:
    for name in house.sources:
        given = house.spoiled(native_bodies(house, name)[-1])
        connection = await house.connection(given)
        own = f"/connections/{connection}"
        kept = {member: value for member, value in given.items() if member not in SECRET}
        moved = {"endpoint": "https://elsewhere.example.com"} if name == "s3" else {"host": "elsewhere.example.com"}
        changes = [
            house.spoiled(given) | {"name": f"new {name}"},
            kept | {"name": f"newer {name}"},
            house.spoiled(given) | {"name": "moved"} | moved,
        ]
        for change in changes:
            assert (await house.ask("PUT", own, json=change)).status_code == 200
        wrong = house.spoiled(given)
        for body_ in (
            wrong | {"port": 6379},
            wrong | {"colour": "red"},
            wrong | {"name": "moved"},
            wrong | {"name": 1},
        ):
            for method, where in (("POST", "/connections"), ("PUT", own)):
                answer = await house.ask(method, where, json=body_)
                assert answer.status_code in (200, 409, 422), answer.text
        listed = {member: [wrong[member]] for member in SECRET if member in wrong}
        assert (await house.ask("POST", "/connections", json=wrong | listed)).status_code == 422
        broken = house.marks.new("broken_body")
        await house.ask("POST", "/connections", content=f'{{"password": "{broken}", "name": '.encode())
        await house.ask("DELETE", own)
    await house.clean()


async def test_after_credentials_were_not_accepted(house: House) -> None:
    gate = house.inbox
    gate.shut = True  # type: ignore[attr-defined]
    runs = []
    for name, server in house.sources.items():
        path = house.tokened(name, "in.csv")
        await server.store(path, FILE)
        for given in native_bodies(house, name):
            connection = await house.connection(house.spoiled(given))
            assert await house.tried(connection, path) == [False, False]
            runs += await house.native(connection, path) + await house.form(connection, path)
        remote = spoiled_place(house, server.remote)
        runs += await house.cordial(cordial_source(remote, path))
    key = native_bodies(house, "sftp")[1]
    for wrong in (key | {"passphrase": house.marks.new("passphrase")}, key | {"user": "stranger"}):
        runs += await house.native(await house.connection(wrong), "in.csv")
    echoing = house.marks.new("password")
    async with Script({}, {"PASS": f"530 {echoing} is wrong"}).running() as script:
        given = {"transport": "ftp", "host": "127.0.0.1", "port": script.port, "user": "u", "password": echoing}
        connection = await house.connection(given)
        assert await house.tried(connection, "in.csv") == [False, False]
        runs += await house.native(connection, "in.csv")

        async def refused() -> bool:
            rows = await house.rows("SELECT state FROM runs WHERE id = ANY($1)", runs)
            return all(row["state"] == "failed" for row in rows) and gate.logins[-1:] == [False]

        await house.until(refused, "the runs do not fail, or no mail was tried")
    await house.clean()
    gate.shut = False  # type: ignore[attr-defined]
    await house.rows("UPDATE runs SET tell_at = now() WHERE notified_at IS NULL")
    assert {state for state, _ in await house.ended(runs)} == {"failed"}
    await house.clean()


def spoiled_place(house: House, remote: Remote) -> Remote:
    if remote.scheme == "s3":
        keys = {name: SecretStr(house.marks.new(name)) for name in ("access_key", "secret_key")}
        return replace(remote, options={**remote.options, **keys})
    return replace(remote, password=SecretStr(house.marks.new("password")))


async def test_after_a_file_was_refused_or_missing(house: House) -> None:
    runs = []
    for name, server in house.sources.items():
        for given in native_bodies(house, name):
            connection = await house.connection(given)
            for file in (REFUSED, None):
                path = house.tokened(name, f"{'in' if file else 'no'}.csv")
                if file is not None:
                    await server.store(path, file)
                runs += await house.form(connection, path)
                if file is not None:
                    runs += await house.cordial(cordial_source(server.remote, path))
    assert {state for state, _ in await house.ended(runs)} == {"failed"}
    await house.clean()


async def test_after_a_redirect_to_an_address_with_a_token(house: House) -> None:
    web, runs = house.sources["https"], []
    for number, target in enumerate(("in.csv?sig={}", "none.csv?sig={}", "//user:{}@127.0.0.1/x", "ftp://u:{}@h/")):
        mark = house.marks.new("signature")
        if number == 0:
            await web.store(target.format(mark), FILE)
        web.web.redirects[f"/{number}.csv"] = (302, target.format(mark) if number > 1 else f"/{target.format(mark)}")
        connection = await house.connection(body(web.remote))
        await house.tried(connection, f"{number}.csv")
        runs += await house.native(connection, f"{number}.csv")
        runs += await house.cordial(cordial_source(web.remote, f"{number}.csv"))
    await house.ended(runs)
    await house.clean()


async def test_a_user_in_an_address_is_refused_without_being_repeated(house: House) -> None:
    port = house.sources["https"].remote.port
    for address in ("https://user:{}@127.0.0.1:{}/a.csv", "https://{}@127.0.0.1:{}/a", "https://u:{}\\@127.0.0.1:{}/a"):
        url = address.format(house.marks.new("userinfo"), port)
        answer = await house.ask("POST", "/v2/productimports", json={"source": {"transport": "https", "url": url}})
        assert answer.status_code == 422, answer.text
        source = cordial_source(house.sources["s3"].remote, "in.csv") | {"aws_endpoint": url}
        assert await house.cordial(source) == []
        login = cordial_source(house.sources["ftp"].remote, "in.csv")
        assert await house.cordial(login | {"server": url.partition("//")[2].partition(":1")[0]}) == []
        given = body(house.sources["s3"].remote) | {"name": "x", "endpoint": url}
        assert (await house.ask("POST", "/connections", json=given)).status_code == 422
        given = body(house.sources["https"].remote) | {"name": "x", "host": url.partition("//")[2].rpartition(":")[0]}
        assert (await house.ask("POST", "/connections", json=given)).status_code == 422
    await house.clean()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["silent", "black hole"])
async def test_after_a_server_did_not_answer_in_time(house: House, kind: str) -> None:
    async with AsyncExitStack() as stack:
        silent = await stack.enter_async_context(listener(silence))
        port = silent if kind == "silent" else stack.enter_context(black_hole())
        asked = []
        for name, server in house.sources.items():
            path, remote = house.tokened(name, "in.csv"), server.at(port)
            asked += [unanswered(house, house.spoiled(body(remote)), path)]
            asked.append(house.cordial(cordial_source(spoiled_place(house, remote), path)))
        runs = [run for each in await asyncio.gather(*asked) for run in each]
        assert {state for state, _ in await house.ended(runs)} == {"failed"}
    await house.clean()


async def unanswered(house: House, given: dict[str, Any], path: str) -> list[str]:
    connection = await house.connection(given)
    runs = await house.native(connection, path) + await house.form(connection, path)
    assert await house.tried(connection, path) == [False, False]
    return runs


@pytest.mark.slow
async def test_after_a_worker_was_killed_while_it_fetched_and_another_took_over(house: House) -> None:
    runs = []
    for name, server in house.sources.items():
        path = house.tokened(name, "wide.csv")
        await server.store(path, WIDE)
        connection = await house.connection(native_bodies(house, name)[-1])
        server.stall_after(100_000)
        runs += await house.native(connection, path)
    stalls = [getattr(server, "wire", None) or server.faults for server in house.sources.values()]
    await house.until(lambda: all(not each.fault for each in stalls), "not every source is silent")
    killed(house.worker)
    rows = await house.rows("SELECT state, blob, secret FROM runs WHERE id = ANY($1)", runs)
    assert {(row["state"], row["blob"], row["secret"] is None) for row in rows} == {("running", None, False)}
    await house.clean()
    house.start("workers")
    assert set(await house.ended(runs)) == {("finished", None)}
    crashes = await house.rows("SELECT crashes, attempt FROM runs WHERE id = ANY($1)", runs)
    assert min(row["attempt"] for row in crashes) > 1
    await house.clean()


WRONG = {
    "SLUICE_VAULT_KEYS": "{}",
    "SLUICE_SMTP_URL": "smtp://user:pa/{}@127.0.0.1",
    "SLUICE_DATABASE_URL": "postgresql://user:pa/{}@127.0.0.1:x/name",
    "SLUICE_REDIS_URL": "redis://user:pa/{}@127.0.0.1:x/0",
    "SLUICE_BLOBS": "s3://user:{}@bucket/prefix",
}


@pytest.mark.slow
@pytest.mark.parametrize("module", [("workers",), ("app.main", "127.0.0.1", "1")])
async def test_after_a_start_with_settings_that_cannot_be_read(
    house: House, tmp_path: Path, module: tuple[str, ...]
) -> None:
    worker = house.worker
    for name, value in WRONG.items():
        process = house.start(*module, **{name: value.format(house.marks.new("setting"))})
        assert await asyncio.to_thread(process.wait, 30) != 0, name
        house.parts.remove(process)
        log = house.folder / f"{len(house.parts)}-{module[0]}.log"
        assert log.read_text(), name
        log.rename(log.with_name(f"{name}-{module[0]}.log"))
    assert house.worker is worker
    await house.clean()
