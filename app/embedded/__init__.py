"""Runs PostgreSQL and Valkey from wheels or the system: for one machine, the demo and the tests."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.embedded.child import Child, Command
from app.embedded.data_folder import (
    DataFolder,
    Instance,
    InstanceSecrets,
    delete_data_folder,
    find_running_instance,
    lock_data_folder,
    publish_instance,
)
from app.embedded.errors import DataFolderInUse, InstanceNotRunning, StartFailed
from app.embedded.postgres import Postgres
from app.embedded.server import ManagedProcess, Server, Sleep, free_port
from app.embedded.system_user import SystemUser, can_reach, find_server_user
from app.embedded.valkey import Valkey

__all__ = [
    "Child",
    "Command",
    "DataFolder",
    "DataFolderInUse",
    "Instance",
    "InstanceNotRunning",
    "InstanceSecrets",
    "ManagedProcess",
    "Postgres",
    "Server",
    "Servers",
    "Sleep",
    "StartFailed",
    "SystemUser",
    "Valkey",
    "can_reach",
    "delete_data_folder",
    "find_running_instance",
    "find_server_user",
    "free_port",
    "lock_data_folder",
    "publish_instance",
    "run_servers",
]


@dataclass(frozen=True, slots=True)
class Servers:
    """Both servers, running, and their data folder."""

    data_folder: DataFolder
    postgres: Postgres
    valkey: Valkey

    @property
    def database_url(self) -> str:
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        return self.valkey.url


@contextmanager
def run_servers(data: Path, **settings: str) -> Iterator[Servers]:
    """Runs both servers until the block ends; `settings` of PostgreSQL change ours. Enter it in the main thread. Raises
    StartFailed, DataFolderInUse."""
    with lock_data_folder(data) as data_folder, ExitStack() as running:
        postgres, valkey = Postgres(data_folder, **settings), Valkey(data_folder)
        postgres.start()
        running.callback(postgres.stop)
        valkey.start()
        running.callback(valkey.stop)
        yield Servers(data_folder, postgres, valkey)
