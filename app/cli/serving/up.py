"""`sluice up`: runs the whole service on one machine, under one process that restarts its parts."""

import asyncio
import http.client
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from app.addresses import close_sockets, join_port, open_sockets
from app.cli.options import Data, Host, Port, Wait, module_command, module_environment, read_settings
from app.cli.serving.account import choose_account
from app.cli.serving.supervisor import Program, StopRequested, Supervisor
from app.cli.serving.waiting import DATABASE, REDIS, wait_for
from app.embedded import Command, DataFolder, Instance, Postgres, SystemUser, Valkey, lock_data_folder, publish_instance
from app.observe.logs import configure
from app.runtime import build_database, check_settings, secret_value
from app.servers import check_secret_key
from app.settings import Settings
from app.storage.migrate import upgrade

# The order in which parts are stopped, highest stage first: API, workers, then the servers that both need.
POSTGRES, VALKEY, WORKERS, API = range(4)
SERVER_STOP_SECONDS = 30.0
EXTRA_STOP_SECONDS = 5.0
POLL_SECONDS = 0.05
SETTLING_SECONDS = 5.0  # a worker is a process of its own, and may come up a moment after the API
HEALTHZ_SECONDS = 1.0
READYZ_SECONDS = 7.0  # `/readyz` gives each part five
# Where a service is reached that listens on every address.
LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  it is only looked up

Workers = Annotated[int, typer.Option(help="Number of worker processes", min=1, max=64)]


@dataclass(frozen=True, slots=True)
class Programs:
    """The modules that are run as the API and as workers, and what is done to the database once it is migrated."""

    api: str = "app.main"
    worker: str = "workers"
    prepare: Callable[[Instance], None] = lambda _: None


SERVICE = Programs()


@dataclass(frozen=True, slots=True)
class UpOptions:
    """Where the API listens, how many workers there are, and which programs these are."""

    host: str
    port: int
    workers: int
    programs: Programs = SERVICE

    @property
    def url(self) -> str:
        host = LOOPBACK_OF.get(self.host, self.host)
        return f"http://{join_port(host, self.port)}"


def up(
    host: Host = "127.0.0.1", port: Port = 8000, data: Data = None, workers: Workers = 1, wait: Wait = False
) -> None:
    """Run the whole service on this machine: PostgreSQL, Valkey, the API and the workers.

    PostgreSQL and Valkey keep their data in the data folder. With SLUICE_DATABASE_URL or SLUICE_REDIS_URL set, those
    servers are used instead. Parts that exit are restarted. Ctrl-C stops everything; the data stays.
    """
    settings = read_settings()
    check_settings(settings)
    configure(settings.log_level, settings.log_format)
    options = UpOptions(host, find_port(host, port), workers)
    _reach_servers(settings, wait=wait)
    supervisor = Supervisor()
    with_servers = not (settings.database_url and settings.redis_url)
    with lock_data_folder(data or settings.data, with_servers=with_servers) as folder, supervisor.handling_signals():
        run_all(supervisor, settings, folder, options, lambda: _announce(folder, options))


def run_all(
    supervisor: Supervisor, settings: Settings, folder: DataFolder, options: UpOptions, announce: Callable[[], None]
) -> None:
    """Runs the whole service until it is asked to stop. `announce` tells people that it is ready."""
    try:
        _run(supervisor, settings, folder, options, announce)
    except StopRequested:
        pass
    finally:
        supervisor.stop_all()


def find_port(host: str, port: int) -> int:
    """The port, or a free one for 0. Raises CannotListen before anything is started."""
    sockets = open_sockets(host, port)
    try:
        return int(sockets[0].getsockname()[1])
    finally:
        close_sockets(sockets)


def _reach_servers(settings: Settings, *, wait: bool) -> None:
    """Asks the servers that are not ours whether they are there. Raises Retryable, Misconfigured."""
    checks = {**(DATABASE if settings.database_url else {}), **(REDIS if settings.redis_url else {})}
    if wait:
        asyncio.run(wait_for(checks, settings))
        return
    for check in checks.values():
        asyncio.run(check(settings))


def _run(
    supervisor: Supervisor, settings: Settings, folder: DataFolder, options: UpOptions, announce: Callable[[], None]
) -> None:
    instance = _start_servers(supervisor, settings, folder, options)
    _migrate(supervisor, instance, options.programs.prepare)
    environment = {
        "SLUICE_DATA": str(folder.data),
        "SLUICE_DATABASE_URL": instance.database_url,
        "SLUICE_REDIS_URL": instance.redis_url,
        "SLUICE_SECRET_KEY": instance.secret_key,
    }
    _start_programs(supervisor, settings, folder, options=options, environment=environment)
    while not _is_healthy(options):
        supervisor.pause(POLL_SECONDS)
        supervisor.check_first_start()
    unready = _find_unready(supervisor, options)
    publish_instance(folder, instance)
    announce()
    if unready:
        print(f"sluice: not ready yet: {unready} (see {options.url}/readyz)", file=sys.stderr)
    supervisor.run()


def _announce(folder: DataFolder, options: UpOptions) -> None:
    print(f"Sluice is ready at {options.url}")
    data = _display_path(folder.data)
    print(f"Create an API key with: sluice key create --account NAME --data {data}")
    print(
        f"Let somebody into the dashboard at {options.url}/app with: "
        f"sluice person create --account NAME --email ADDRESS --data {data}",
        flush=True,
    )


def _start_servers(supervisor: Supervisor, settings: Settings, folder: DataFolder, options: UpOptions) -> Instance:
    return Instance(
        pid=os.getpid(),
        api_url=options.url,
        database_url=secret_value(settings.database_url) or _start_postgres(supervisor, folder),
        redis_url=secret_value(settings.redis_url) or _start_valkey(supervisor, folder),
        secret_key=secret_value(settings.secret_key) or folder.secrets.secret_key,
    )


def _start_postgres(supervisor: Supervisor, folder: DataFolder) -> str:
    server = Postgres(folder)
    supervisor.watch(server, stage=POSTGRES, stop_seconds=SERVER_STOP_SECONDS)
    server.start(sleep=supervisor.pause)
    return server.url


def _start_valkey(supervisor: Supervisor, folder: DataFolder) -> str:
    server = Valkey(folder)
    supervisor.watch(server, stage=VALKEY, stop_seconds=SERVER_STOP_SECONDS)
    server.start(sleep=supervisor.pause)
    return server.url


def _migrate(supervisor: Supervisor, instance: Instance, prepare: Callable[[Instance], None]) -> None:
    """Runs in a thread, so that Ctrl-C works. No part is started there: the kernel would kill it with the thread."""
    thread = ThreadPoolExecutor(1)
    try:
        migration = thread.submit(_prepare_database, instance, prepare)
        while not migration.done():
            supervisor.pause(POLL_SECONDS)
        migration.result()
    finally:
        thread.shutdown(wait=False)


def _prepare_database(instance: Instance, prepare: Callable[[Instance], None]) -> None:
    """Migrates it, and checks the secret key before two parts complain of it. Raises DatabaseUnavailable,
    Misconfigured."""
    upgrade(instance.database_url)
    asyncio.run(_check_secret_key(instance))
    prepare(instance)


async def _check_secret_key(instance: Instance) -> None:
    """Raises Misconfigured."""
    database = build_database(instance.database_url, pool_size=1)
    try:
        await check_secret_key(database, instance.secret_key)
    finally:
        await database.close()


def _start_programs(
    supervisor: Supervisor, settings: Settings, folder: DataFolder, *, options: UpOptions, environment: dict[str, str]
) -> None:
    lowest = min(filter(None, (options.port, settings.worker_metrics_port)))
    user = choose_account(settings, folder, lowest)
    for number in range(1, options.workers + 1):
        own = module_environment("workers", **environment, **_metrics_port(settings, number))
        command = module_command(options.programs.worker)
        worker = Program(_command(folder, f"worker-{number}", command, own, user))
        supervisor.watch(worker, stage=WORKERS, stop_seconds=settings.shutdown_seconds + EXTRA_STOP_SECONDS).start()
    arguments = module_command(options.programs.api, options.host, str(options.port))
    api = Program(_command(folder, "api", arguments, module_environment("app.main", **environment), user))
    supervisor.watch(api, stage=API, stop_seconds=settings.shutdown_seconds + EXTRA_STOP_SECONDS).start()


def _metrics_port(settings: Settings, number: int) -> dict[str, str]:
    """Workers of one machine cannot share a port: the first uses the port that is set, the others those after it."""
    port = settings.worker_metrics_port
    return {"SLUICE_WORKER_METRICS_PORT": str(port + number - 1)} if port else {}


def _command(
    folder: DataFolder, name: str, arguments: list[str], environment: dict[str, str], user: SystemUser | None
) -> Command:
    pid_file = folder.pid_file(name)
    if user is not None:  # libraries look for files in the home, and the other account may not even look into root's
        environment = environment | {"HOME": str(folder.data)}
    return Command(name=name, arguments=arguments, environment=environment, pid_file=pid_file, user=user)


def _is_healthy(options: UpOptions) -> bool:
    return _get(options, "/healthz", HEALTHZ_SECONDS)[0] == 200


def _find_unready(supervisor: Supervisor, options: UpOptions) -> str:
    """The parts that do not work, as `/readyz` describes them; empty if all do."""
    deadline = time.monotonic() + SETTLING_SECONDS
    while "worker" in (parts := _ask_readyz(options)) and time.monotonic() < deadline:
        supervisor.pause(POLL_SECONDS)
        supervisor.check_first_start()
    return "; ".join(f"{part}: {reason}" for part, reason in parts.items())


def _ask_readyz(options: UpOptions) -> dict[str, str]:
    """For each part that does not work, why."""
    status, body = _get(options, "/readyz", READYZ_SECONDS)
    if status not in (200, 503):
        return {"api": "no response"}
    parts: dict[str, dict[str, Any]] = json.loads(body).get("parts", {})
    return {name: part["why"] for name, part in parts.items() if not part["ok"]}


def _get(options: UpOptions, path: str, timeout: float) -> tuple[int, bytes]:
    """Status and body; 0 and nothing if there is no response within `timeout` seconds."""
    connection = http.client.HTTPConnection(LOOPBACK_OF.get(options.host, options.host), options.port, timeout=timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def _display_path(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
