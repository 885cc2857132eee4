"""What a start says that fails: the real commands against real servers, in one line, with the exit code to act on."""

import asyncio
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
import trustme
from alembic.command import upgrade

from app.addresses import explain_unencoded, find_unencoded
from app.embedded import Servers, free_port
from app.storage.migrate import configuration
from tests.support.commands import begin_command, run_command, without_settings
from tests.support.servers import PEPPER, empty_database, execute, new_database, redis_number

ROOT = Path(__file__).parents[2]
# They share a worker, so that the process which has loaded everything is started once.
pytestmark = pytest.mark.xdist_group("commands")
SECONDS = 10.0  # to start Python beside everything else that a test machine does; to reach a server takes 3 at most


def environment(**settings: str) -> dict[str, str]:
    return {**without_settings(), "SLUICE_SECRET_KEY": PEPPER, **settings}


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return run_command(*arguments, **({"SLUICE_SECRET_KEY": PEPPER} | settings))


class Started:
    """A command that goes on, and what it has said."""

    def __init__(self, log: Path, process: subprocess.Popen[bytes] | ForkServerProcess) -> None:
        self.log = log
        self.process = process

    @property
    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    @property
    def exit_code(self) -> int | None:
        return self.process.poll() if isinstance(self.process, subprocess.Popen) else self.process.exitcode

    def until(self, pattern: str, seconds: float = 30) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.said)) is None:
            assert time.monotonic() < deadline, f"{pattern!r} not in {self.said}"
            assert self.exit_code is None, self.said
            time.sleep(0.02)
        return found

    def end(self, number: signal.Signals) -> int | None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)
        self.wait()
        return self.exit_code

    def wait(self) -> None:
        if isinstance(self.process, subprocess.Popen):
            self.process.wait(15)
        else:
            self.process.join(15)


Start = Callable[..., Started]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a command as a copy of a process that has loaded everything, or `anew`, as an operator does."""
    started: list[Started] = []

    def begin(*arguments: str, anew: bool = False, **settings: str) -> Started:
        variables = environment(**({"SLUICE_DATA": str(tmp_path / "data")} | settings))
        log = tmp_path / f"said-{len(started)}"
        begin_one = begin_process if anew else begin_command
        started.append(Started(log, begin_one(arguments, variables, stdout=log, stderr=log)))
        return started[-1]

    yield begin
    for each in started:
        if each.exit_code is None:
            each.process.kill()
            each.wait()


def begin_process(
    arguments: Sequence[str], variables: Mapping[str, str], *, stdout: Path, stderr: Path
) -> subprocess.Popen[bytes]:
    with stdout.open("ab") as out, stderr.open("ab") as err:
        command = [sys.executable, "-m", "app", *arguments]
        return subprocess.Popen(command, env=variables, cwd=ROOT, stdout=out, stderr=err, start_new_session=True)


@pytest.fixture(scope="module")
def there(servers: Servers) -> dict[str, str]:
    """Settings of servers that answer, with a database of this module's own."""
    return {
        "SLUICE_DATABASE_URL": new_database(servers, "starting"),
        "SLUICE_REDIS_URL": redis_number(servers, 9),
    }


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word, as an address does that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:{password}@{parts.hostname}:{parts.port}"))


def assert_told(refused: subprocess.CompletedProcess[str], told: str, exit_code: int) -> None:
    assert refused.stderr == f"sluice: {told}\n"
    assert refused.returncode == exit_code
    assert refused.stdout == ""


COMMANDS = [("api", "--port", "0"), ("migrate",), ("key", "list")]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_wrong_password_of_the_database_is_said_without_it(command: tuple[str, ...], there: dict[str, str]) -> None:
    url = with_password(there["SLUICE_DATABASE_URL"], "hunter2")

    refused = run(*command, **(there | {"SLUICE_DATABASE_URL": url}))

    told = "refuses the user or the password in SLUICE_DATABASE_URL. Special characters are percent-encoded there"
    assert_told(refused, f"PostgreSQL at 127.0.0.1:{urlsplit(url).port} {told}", 2)


@pytest.mark.parametrize("command", [*COMMANDS, ("up", "--port", "0")], ids=" ".join)
def test_a_database_that_is_away_is_named(command: tuple[str, ...], there: dict[str, str], tmp_path: Path) -> None:
    settings = there | {"SLUICE_DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/x", "SLUICE_DATA": str(tmp_path)}

    refused = run(*command, **settings)

    told = "PostgreSQL (SLUICE_DATABASE_URL) does not answer at 127.0.0.1:1: nothing listens there"
    assert_told(refused, told, 1)


@pytest.mark.parametrize("command", [("api", "--port", "0"), ("worker",)], ids=" ".join)
def test_a_redis_that_is_away_is_named(command: tuple[str, ...], there: dict[str, str], tmp_path: Path) -> None:
    settings = there | {"SLUICE_REDIS_URL": "redis://:hunter2@127.0.0.1:1", "SLUICE_DATA": str(tmp_path)}

    refused = run(*command, **settings)

    assert_told(refused, "Redis (SLUICE_REDIS_URL) does not answer at 127.0.0.1:1: nothing listens there", 1)


def test_a_server_that_never_answers_is_given_up_in_three_seconds(there: dict[str, str], start: Start) -> None:
    began = time.monotonic()
    with silent_port() as port:
        postgres = start("worker", **(there | {"SLUICE_DATABASE_URL": f"postgresql://u:p@127.0.0.1:{port}/x"}))
        redis = start("worker", **(there | {"SLUICE_REDIS_URL": f"redis://127.0.0.1:{port}"}))
        postgres.wait()
        redis.wait()

    assert time.monotonic() - began < 3 + SECONDS
    told = f"does not answer at 127.0.0.1:{port}: no answer within 3 seconds\n"
    assert (postgres.said, postgres.exit_code) == (f"sluice: PostgreSQL (SLUICE_DATABASE_URL) {told}", 1)
    assert (redis.said, redis.exit_code) == (f"sluice: Redis (SLUICE_REDIS_URL) {told}", 1)


def test_a_host_that_nobody_knows_is_named(there: dict[str, str]) -> None:
    refused = run("migrate", SLUICE_DATABASE_URL="postgresql://u:p@nowhere.invalid/x")

    told = "PostgreSQL (SLUICE_DATABASE_URL) does not answer at nowhere.invalid:5432: the host is unknown"
    assert_told(refused, told, 1)


def test_a_wrong_password_or_number_of_redis_is_said(there: dict[str, str]) -> None:
    url = there["SLUICE_REDIS_URL"]
    where = f"Redis at 127.0.0.1:{urlsplit(url).port}"

    refused = run("worker", **(there | {"SLUICE_REDIS_URL": with_password(url, "hunter2")}))
    told = "refuses the user or the password in SLUICE_REDIS_URL. Special characters are percent-encoded there"
    assert_told(refused, f"{where} {told}", 2)

    refused = run("worker", **(there | {"SLUICE_REDIS_URL": urlunsplit(urlsplit(url)._replace(path="/999"))}))
    assert_told(refused, f"{where} does not have the database number that SLUICE_REDIS_URL names", 2)


def test_a_database_that_does_not_exist_is_said(there: dict[str, str]) -> None:
    url = urlunsplit(urlsplit(there["SLUICE_DATABASE_URL"])._replace(path="/nosuch"))

    refused = run("migrate", SLUICE_DATABASE_URL=url)

    told = "does not have the database that SLUICE_DATABASE_URL names"
    assert_told(refused, f"PostgreSQL at 127.0.0.1:{urlsplit(url).port} {told}", 2)


@pytest.mark.parametrize(
    ("name", "url", "shown"),
    [
        ("SLUICE_DATABASE_URL", "postgresql://me:hunt@er/2@host:5432/x", "write @ as %40 and / as %2F"),
        ("SLUICE_REDIS_URL", "redis://:hunt/er2@host:6379/0", "write / as %2F"),
        ("SLUICE_SMTP_URL", "smtp://me:hunt#er?2@host", "write # as %23 and ? as %3F"),
    ],
)
def test_a_password_that_is_not_encoded_is_told_with_what_to_write(
    there: dict[str, str], name: str, url: str, shown: str
) -> None:
    refused = run("migrate", **(there | {name: url}))

    told = f"{name} has a user or password whose special characters must be percent-encoded: {shown}"
    assert_told(refused, told, 2)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql://u:p@host:1/x", ""),
        ("postgresql://u:p%40ss%2Fword@host:1/x", ""),
        ("postgresql://host/x", ""),
        ("postgresql://u:p@host/x?options=-c%20a@b", ""),
        ("redis://:p@ss/word@host/0", "@/"),
        ("redis://:12#34@host", "#"),
        ("redis://:a[b]@host", "[]"),
    ],
)
def test_only_what_has_to_be_encoded_is_told(url: str, found: str) -> None:
    assert find_unencoded(url) == found
    if found:
        assert "word" not in explain_unencoded("SLUICE_X", found).replace("password", "")


@pytest.mark.parametrize("secret", ["x" * 64, "only thirty-one characters long"])
def test_a_weak_secret_key_is_refused_where_nothing_depends_on_it(servers: Servers, secret: str) -> None:
    settings = {"SLUICE_DATABASE_URL": empty_database(servers, "weak"), "SLUICE_REDIS_URL": redis_number(servers, 9)}
    assert run("migrate", **settings).returncode == 0
    told = "SLUICE_SECRET_KEY must have 32 characters or more, at random. Make one with: openssl rand -hex 32"

    for command in (("worker",), ("key", "create", "--account", "acme")):
        assert_told(run(*command, **(settings | {"SLUICE_SECRET_KEY": secret})), told, 2)


def test_who_has_keys_under_a_weak_secret_key_is_warned_and_not_locked_out(servers: Servers, start: Start) -> None:
    weak = {"SLUICE_SECRET_KEY": "short"}
    settings = {"SLUICE_DATABASE_URL": empty_database(servers, "warned"), "SLUICE_REDIS_URL": redis_number(servers, 9)}
    run("migrate", **settings)
    assert run("key", "create", "--account", "acme", **settings).returncode == 0

    api = start("api", "--port", "0", **settings, **weak)
    url = api.until(r"sluice: listening on (\S+)")[1]

    assert "weak_secret_key" in api.said
    assert httpx.get(f"{url}/healthz").status_code == 200
    assert "short" not in api.said


def test_a_schema_that_is_not_migrated_is_named_and_migrate_says_what_it_did(servers: Servers) -> None:
    settings = {
        "SLUICE_DATABASE_URL": empty_database(servers, "unmigrated"),
        "SLUICE_REDIS_URL": redis_number(servers, 9),
    }
    newest = max(path.name[:4] for path in (ROOT / "migrations" / "versions").glob("0*.py"))

    for command in (("api", "--port", "0"), ("worker",), ("key", "list")):
        told = f"The database has no schema, this version needs {newest}. Run `sluice migrate`"
        assert_told(run(*command, **settings), told, 1)

    assert run("migrate", **settings).stdout == f"sluice: created the schema {newest}\n"
    assert run("migrate", **settings).stdout == f"sluice: the schema is {newest} already\n"
    statement = "UPDATE alembic_version SET version_num = '9999'"
    asyncio.run(execute(settings["SLUICE_DATABASE_URL"], statement))
    told = f"The database has schema 9999 already, and this version knows them up to {newest}"
    assert_told(run("migrate", **settings), told, 1)


def test_migrate_says_from_where_to_where(servers: Servers) -> None:
    url = empty_database(servers, "older")
    upgrade(configuration(url), "0003")
    newest = max(path.name[:4] for path in (ROOT / "migrations" / "versions").glob("0*.py"))

    done = run("migrate", SLUICE_DATABASE_URL=url)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"sluice: migrated from 0003 to {newest}\n", "")


def test_a_taken_port_is_named(there: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("api", "--port", str(port), **there)

    told = f"Cannot listen on port {port} of 127.0.0.1: another program has it. Choose another port with --port"
    assert_told(refused, told, 1)


def test_a_taken_port_for_the_metrics_of_a_worker_is_named(there: dict[str, str]) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("worker", **there, SLUICE_WORKER_METRICS_PORT=str(port))

    told = f"Cannot serve metrics on port {port}: Address already in use. Correct SLUICE_WORKER_METRICS_PORT"
    assert_told(refused, told, 1)


@pytest.mark.parametrize(
    ("host", "told"),
    [
        (
            "192.0.2.1",
            "Cannot listen on port 8000 of 192.0.2.1: this machine does not have that address. Correct --host",
        ),
        ("nowhere.invalid", "Cannot listen on nowhere.invalid: no address of this name is known. Correct --host"),
    ],
)
def test_a_host_that_is_not_here_is_named(there: dict[str, str], host: str, told: str) -> None:
    assert_told(run("api", "--host", host, **there), told, 1)


@pytest.mark.parametrize(
    ("host", "shown", "number"),
    [
        ("127.0.0.1", "127.0.0.1", signal.SIGTERM),
        ("::1", "[::1]", signal.SIGINT),
        ("localhost", "localhost", signal.SIGTERM),
    ],
)
def test_an_api_says_where_it_listens_and_ends_with_0(
    there: dict[str, str], start: Start, host: str, shown: str, number: signal.Signals
) -> None:
    if host == "::1" and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    api = start("api", "--host", host, "--port", "0", anew=number == signal.SIGTERM and host == "127.0.0.1", **there)

    url = api.until(r"sluice: listening on (\S+)\n")[1]

    assert re.fullmatch(rf"http://{re.escape(shown)}:\d+", url)
    assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    assert api.end(number) == 0
    assert "Traceback" not in api.said
    assert '"event": "process_stopped"' in api.said


def test_a_worker_says_that_it_waits_and_where_its_metrics_are(there: dict[str, str], start: Start) -> None:
    port = free_port()
    worker = start("worker", anew=True, **there, SLUICE_WORKER_METRICS_PORT=str(port))

    worker.until(rf"sluice: waiting for imports; metrics at http://\S+:{port}/metrics\n")

    assert httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).status_code == 200
    assert worker.end(signal.SIGTERM) == 0


WAITING = (
    (("api", "--wait"), signal.SIGTERM),
    (("migrate", "--wait"), signal.SIGINT),
    (("up", "--wait", "--port", "0"), signal.SIGINT),
)


def test_a_signal_ends_the_waiting_at_once(there: dict[str, str], start: Start) -> None:
    with silent_port() as port:
        settings = there | {"SLUICE_DATABASE_URL": f"postgresql://u:p@127.0.0.1:{port}/x"}
        started = [(start(*command, **settings), number) for command, number in WAITING]
        for waiting, number in started:
            waiting.until("sluice: waiting: PostgreSQL")
            began = time.monotonic()
            assert waiting.end(number) in (-number, 128 + number)
            assert time.monotonic() - began < 2
            assert waiting.said.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_start_that_waits_for_an_answer(
    there: dict[str, str], start: Start, number: signal.Signals
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        worker = start("worker", **(there | {"SLUICE_REDIS_URL": f"redis://127.0.0.1:{silent.getsockname()[1]}"}))
        silent.settimeout(30)
        connection, _ = silent.accept()
        began = time.monotonic()
        code = worker.end(number)
        connection.close()

    assert code in (-number, 128 + number)
    assert time.monotonic() - began < 2
    assert worker.said == ""


def test_with_wait_a_start_goes_on_when_the_servers_are_there(servers: Servers, start: Start) -> None:
    url, port = empty_database(servers, "awaited"), free_port()
    through = urlunsplit(urlsplit(url)._replace(netloc=re.sub(r":\d+$", f":{port}", urlsplit(url).netloc)))
    settings = {"SLUICE_REDIS_URL": redis_number(servers, 9)}

    api = start("api", "--port", "0", "--wait", **settings, SLUICE_DATABASE_URL=through)
    told = "waiting: PostgreSQL (SLUICE_DATABASE_URL) does not answer at"
    api.until(re.escape(f"sluice: {told} 127.0.0.1:{port}: nothing listens there\n"))
    with forwarding(port, int(urlsplit(url).port or 0)):
        api.until("sluice: PostgreSQL answers\nsluice: waiting: The database has no schema.*\n")
        assert run("migrate", SLUICE_DATABASE_URL=url).returncode == 0
        api.until("sluice: the schema fits\n")
        api.until("sluice: listening on ")
        assert api.said.count("waiting: PostgreSQL") == 1
        assert api.end(signal.SIGTERM) == 0


@contextmanager
def forwarding(port: int, to: int) -> Iterator[None]:
    """A server that comes up: passes every connection on to another port."""
    program = (
        "import asyncio, sys\n"
        "async def pipe(a, b):\n"
        "    try:\n"
        "        while data := await a.read(65536): b.write(data); await b.drain()\n"
        "    except OSError: pass\n"
        "    b.close()\n"
        "async def pass_on(r, w):\n"
        "    a, b = await asyncio.open_connection('127.0.0.1', int(sys.argv[2]))\n"
        "    await asyncio.gather(pipe(r, b), pipe(a, w))\n"
        "async def main():\n"
        "    server = await asyncio.start_server(pass_on, '127.0.0.1', int(sys.argv[1]))\n"
        "    await server.serve_forever()\n"
        "asyncio.run(main())\n"
    )
    passing = subprocess.Popen([sys.executable, "-c", program, str(port), str(to)])
    try:
        yield
    finally:
        passing.kill()
        passing.wait()


def test_a_misspelled_setting_is_told_with_the_nearest(there: dict[str, str]) -> None:
    told = run("key", "list", **there, SLUICE_LOG_LEVL="debug", SLUICE_FOO="x", SLUICE_KEY="a:b").stderr

    assert told.splitlines() == [
        "sluice: SLUICE_FOO is not a setting and is ignored",
        "sluice: SLUICE_LOG_LEVL is not a setting and is ignored. Did you mean SLUICE_LOG_LEVEL?",
    ]


def test_a_value_that_a_setting_cannot_have_is_told_with_those_it_can(there: dict[str, str]) -> None:
    refused = run("worker", **there, SLUICE_LOG_LEVEL="loud")

    assert_told(refused, "SLUICE_LOG_LEVEL must be one of debug, info, warning or error", 2)


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@contextmanager
def secure_redis(folder: Path, host: str) -> Iterator[tuple[int, Path]]:
    """A port that answers with a certificate for the host, and the file of the authority that has issued it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=shake_hands, args=(server, context))
        answering.start()
        try:
            yield server.getsockname()[1], folder / "ca.pem"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            answering.join()


def shake_hands(server: socket.socket, context: ssl.SSLContext) -> None:
    """With every client that comes, until the socket is shut."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            context.wrap_socket(connection, server_side=True).close()


@pytest.mark.parametrize(
    ("host", "trusted", "told"),
    [
        ("other.example", True, "is for another host. Correct the host in SLUICE_REDIS_URL, or have the certificate "),
        ("localhost", False, "is of an unknown authority. Set SLUICE_CA_FILE to a PEM file of that authority"),
    ],
)
def test_a_certificate_of_redis_that_does_not_fit_is_said_at_once(
    there: dict[str, str], tmp_path: Path, host: str, trusted: bool, told: str
) -> None:
    began = time.monotonic()
    with secure_redis(tmp_path, host) as (port, authority):
        settings = there | {"SLUICE_REDIS_URL": f"rediss://localhost:{port}"}
        refused = run("worker", **settings, **({"SLUICE_CA_FILE": str(authority)} if trusted else {}))

    assert refused.stderr.startswith(f"sluice: The certificate of Redis at localhost:{port} {told}")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert time.monotonic() - began < SECONDS
