"""`sluice up`: runs the whole service on one machine, under one process that restarts its parts."""

import http.client
import json
import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from app.cli.options import Data, Host, Port, UsageError, module_command, module_environment
from app.cli.serving.supervisor import Program, StopRequested, Supervisor
from app.embedded import Command, DataFolder, Instance, Postgres, Valkey, lock_data_folder, publish_instance
from app.observe.logs import configure
from app.runtime import check_settings
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
class UpOptions:
    """Where the API listens, and how many workers there are."""

    host: str
    port: int
    workers: int

    @property
    def url(self) -> str:
        host = LOOPBACK_OF.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def up(host: Host = "127.0.0.1", port: Port = 8000, data: Data = None, workers: Workers = 1) -> None:
    """Run the whole service on this machine: PostgreSQL, Valkey, the API and the workers.

    PostgreSQL and Valkey keep their data in the data folder. With SLUICE_DATABASE_URL or SLUICE_REDIS_URL set, those
    servers are used instead. Parts that exit are restarted. Ctrl-C stops everything; the data stays.
    """
    settings = Settings()
    check_settings(settings)
    configure(settings.log_level)
    options = UpOptions(host, port, workers)
    _refuse_port_in_use(options)
    supervisor = Supervisor()
    with_servers = not (settings.database_url and settings.redis_url)
    with lock_data_folder(data or settings.data, with_servers=with_servers) as folder, supervisor.handling_signals():
        try:
            _run(supervisor, settings, folder, options)
        except StopRequested:
            pass
        finally:
            supervisor.stop_all()


def _refuse_port_in_use(options: UpOptions) -> None:
    family, *_, address = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            reason = f"cannot listen on port {options.port} of {options.host}: {error.strerror}"
            raise UsageError(f"{reason}. Choose another port with --port") from None


def _run(supervisor: Supervisor, settings: Settings, folder: DataFolder, options: UpOptions) -> None:
    instance = _start_servers(supervisor, settings, folder, options)
    _migrate(supervisor, instance.database_url)
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
    print(f"Sluice is ready at {options.url}")
    print(f"Create an API key with: sluice key create --account NAME --data {_display_path(folder.data)}", flush=True)
    if unready:
        print(f"sluice: not ready yet: {unready} (see {options.url}/readyz)", file=sys.stderr)
    supervisor.run()


def _start_servers(supervisor: Supervisor, settings: Settings, folder: DataFolder, options: UpOptions) -> Instance:
    return Instance(
        pid=os.getpid(),
        api_url=options.url,
        database_url=_secret_value(settings.database_url) or _start_postgres(supervisor, folder),
        redis_url=_secret_value(settings.redis_url) or _start_valkey(supervisor, folder),
        secret_key=_secret_value(settings.secret_key) or folder.secrets.secret_key,
    )


def _secret_value(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


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


def _migrate(supervisor: Supervisor, url: str) -> None:
    """Runs in a thread, so that Ctrl-C works. No part is started there: the kernel would kill it with the thread."""
    with ThreadPoolExecutor(1) as thread:
        migration = thread.submit(upgrade, url)
        while not migration.done():
            supervisor.pause(POLL_SECONDS)
        migration.result()


def _start_programs(
    supervisor: Supervisor, settings: Settings, folder: DataFolder, *, options: UpOptions, environment: dict[str, str]
) -> None:
    for number in range(1, options.workers + 1):
        own = module_environment("workers", **environment, **_metrics_port(settings, number))
        worker = Program(_command(folder, f"worker-{number}", module_command("workers"), own))
        supervisor.watch(worker, stage=WORKERS, stop_seconds=settings.shutdown_seconds + EXTRA_STOP_SECONDS).start()
    arguments = module_command("app.main", options.host, str(options.port))
    api = Program(_command(folder, "api", arguments, module_environment("app.main", **environment)))
    supervisor.watch(api, stage=API, stop_seconds=settings.shutdown_seconds + EXTRA_STOP_SECONDS).start()


def _metrics_port(settings: Settings, number: int) -> dict[str, str]:
    """Workers of one machine cannot share a port: the first uses the port that is set, the others those after it."""
    port = settings.worker_metrics_port
    return {"SLUICE_WORKER_METRICS_PORT": str(port + number - 1)} if port else {}


def _command(folder: DataFolder, name: str, arguments: list[str], environment: dict[str, str]) -> Command:
    return Command(name=name, arguments=arguments, environment=environment, pid_file=folder.pid_file(name))


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
