"""`sluice up`: the whole service on one machine, under one process that keeps it running."""

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

from app.cli.options import Data, Host, Misused, Port, module_command, module_environment
from app.cli.supervisor import Program, Stopped, Supervisor
from app.embedded import Command, DataFolder, Instance, Postgres, Valkey, claim, publish
from app.observe.logs import configure
from app.runtime import check_settings
from app.settings import Settings
from app.storage.migrate import upgrade

# The stage at which a part stops, highest first: no new work, then no work at all, then what the work stands on.
POSTGRES, VALKEY, WORKERS, API = range(4)
SERVER_PATIENCE = 30.0
SPARE_SECONDS = 5.0
PAUSE = 0.05
# Seconds: a worker is a process of its own, and comes up a moment after the API or before it.
SETTLING = 5.0
PROMPT, THOROUGH = 1.0, 7.0  # seconds for an answer; `/readyz` gives each part five
# Where we find ourselves when we listen on every address.
HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 – the key is only looked up

Workers = Annotated[int, typer.Option(help="How many worker processes", min=1, max=64)]


@dataclass(frozen=True, slots=True)
class Wanted:
    host: str
    port: int
    workers: int

    @property
    def url(self) -> str:
        host = HERE.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def up(host: Host = "127.0.0.1", port: Port = 8000, data: Data = None, workers: Workers = 1) -> None:
    """Run everything on this machine: PostgreSQL, Valkey, the API and the workers.

    PostgreSQL and Valkey are started from the data folder, unless SLUICE_DATABASE_URL or SLUICE_REDIS_URL say where
    they are. What ends is started again. Ctrl-C stops all of it; the data stays.
    """
    settings = Settings()
    check_settings(settings)
    configure(settings.log_level)
    wanted = Wanted(host, port, workers)
    _refuse_port_in_use(wanted)
    supervisor = Supervisor()
    servers = not (settings.database_url and settings.redis_url)
    with claim(data or settings.data, with_servers=servers) as place, supervisor.listening():
        try:
            _run(supervisor, settings, place, wanted)
        except Stopped:
            pass
        finally:
            supervisor.stop_all()


def _refuse_port_in_use(wanted: Wanted) -> None:
    family, *_, address = socket.getaddrinfo(wanted.host, wanted.port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as trouble:
            reason = f"cannot listen on port {wanted.port} of {wanted.host}: {trouble.strerror}"
            raise Misused(f"{reason}; choose another with --port") from None


def _run(supervisor: Supervisor, settings: Settings, place: DataFolder, wanted: Wanted) -> None:
    instance = _start_servers(supervisor, settings, place, wanted)
    _migrate(supervisor, instance.database_url)
    told = {
        "SLUICE_DATA": str(place.data),
        "SLUICE_DATABASE_URL": instance.database_url,
        "SLUICE_REDIS_URL": instance.redis_url,
        "SLUICE_SECRET_KEY": instance.secret_key,
    }
    _start_programs(supervisor, settings, place, wanted=wanted, told=told)
    while not _is_healthy(wanted):
        supervisor.pause(PAUSE)
        supervisor.tend_first_start()
    lacking = _lacking(supervisor, wanted)
    publish(place, instance)
    print(f"Sluice is ready at {wanted.url}")
    print(f"Make a key with: sluice key create --account NAME --data {_short(place.data)}", flush=True)
    if lacking:
        print(f"sluice: not ready yet: {lacking} (see {wanted.url}/readyz)", file=sys.stderr)
    supervisor.run()


def _start_servers(supervisor: Supervisor, settings: Settings, place: DataFolder, wanted: Wanted) -> Instance:
    return Instance(
        pid=os.getpid(),
        api_url=wanted.url,
        database_url=_given(settings.database_url) or _start_postgres(supervisor, place),
        redis_url=_given(settings.redis_url) or _start_valkey(supervisor, place),
        secret_key=_given(settings.secret_key) or place.secrets.secret_key,
    )


def _given(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _start_postgres(supervisor: Supervisor, place: DataFolder) -> str:
    server = Postgres(place)
    supervisor.watch(server, stage=POSTGRES, patience=SERVER_PATIENCE)
    server.start(pause=supervisor.pause)
    return server.url


def _start_valkey(supervisor: Supervisor, place: DataFolder) -> str:
    server = Valkey(place)
    supervisor.watch(server, stage=VALKEY, patience=SERVER_PATIENCE)
    server.start(pause=supervisor.pause)
    return server.url


def _migrate(supervisor: Supervisor, url: str) -> None:
    """In a thread, so that a Ctrl-C is heard; no part is started meanwhile, so none hangs on the thread's life."""
    with ThreadPoolExecutor(1) as thread:
        migration = thread.submit(upgrade, url)
        while not migration.done():
            supervisor.pause(PAUSE)
        migration.result()


def _start_programs(
    supervisor: Supervisor, settings: Settings, place: DataFolder, *, wanted: Wanted, told: dict[str, str]
) -> None:
    for number in range(1, wanted.workers + 1):
        own = module_environment("workers", **told, **_metrics_port(settings, number))
        worker = Program(_command(place, f"worker-{number}", module_command("workers"), own))
        supervisor.watch(worker, stage=WORKERS, patience=settings.shutdown_seconds + SPARE_SECONDS).start()
    arguments = module_command("app.main", wanted.host, str(wanted.port))
    api = Program(_command(place, "api", arguments, module_environment("app.main", **told)))
    supervisor.watch(api, stage=API, patience=settings.shutdown_seconds + SPARE_SECONDS).start()


def _metrics_port(settings: Settings, number: int) -> dict[str, str]:
    """Workers of one machine cannot share a port: the first has the one that is set, the others those after it."""
    port = settings.worker_metrics_port
    return {"SLUICE_WORKER_METRICS_PORT": str(port + number - 1)} if port else {}


def _command(place: DataFolder, name: str, arguments: list[str], environment: dict[str, str]) -> Command:
    return Command(name=name, arguments=arguments, environment=environment, record=place.record(name))


def _is_healthy(wanted: Wanted) -> bool:
    return _answer(wanted, "/healthz", PROMPT)[0] == 200


def _lacking(supervisor: Supervisor, wanted: Wanted) -> str:
    """The parts that do not work, in the words of `/readyz`; empty when all do."""
    deadline = time.monotonic() + SETTLING
    while "worker" in (found := _unready(wanted)) and time.monotonic() < deadline:
        supervisor.pause(PAUSE)
        supervisor.tend_first_start()
    return "; ".join(f"{part}: {why}" for part, why in found.items())


def _unready(wanted: Wanted) -> dict[str, str]:
    """Part by part why it does not work."""
    status, body = _answer(wanted, "/readyz", THOROUGH)
    if status not in (200, 503):
        return {"api": "it does not answer"}
    parts: dict[str, dict[str, Any]] = json.loads(body).get("parts", {})
    return {name: part["why"] for name, part in parts.items() if not part["ok"]}


def _answer(wanted: Wanted, path: str, patience: float) -> tuple[int, bytes]:
    """Status and body; 0 and nothing when there is no answer within `patience` seconds."""
    connection = http.client.HTTPConnection(HERE.get(wanted.host, wanted.host), wanted.port, timeout=patience)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def _short(folder: Path) -> str:
    return os.path.relpath(folder) if folder.is_relative_to(Path.cwd()) else str(folder)
