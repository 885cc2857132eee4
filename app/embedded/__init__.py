"""PostgreSQL and Valkey on this machine, for one machine, the demo and the tests; no other room knows how."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.embedded.child import Child, Command
from app.embedded.data_folder import DataFolder, Instance, Secrets, claim, discard, publish, running_instance
from app.embedded.errors import CannotStart, InUse, NotRunning
from app.embedded.postgres import Postgres
from app.embedded.server import Pause, Server, Unit, free_port
from app.embedded.valkey import Valkey

__all__ = [
    "CannotStart",
    "Child",
    "Command",
    "DataFolder",
    "InUse",
    "Instance",
    "NotRunning",
    "Pause",
    "Postgres",
    "Secrets",
    "Server",
    "Servers",
    "Unit",
    "Valkey",
    "claim",
    "discard",
    "embedded",
    "free_port",
    "publish",
    "running_instance",
]


@dataclass(frozen=True, slots=True)
class Servers:
    """Both servers, running, and the place they run in."""

    place: DataFolder
    postgres: Postgres
    valkey: Valkey

    @property
    def database_url(self) -> str:
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        return self.valkey.url


@contextmanager
def embedded(data: Path) -> Iterator[Servers]:
    """Run both servers until the block ends. Enter it in the main thread. Raises CannotStart, InUse."""
    with claim(data) as place, ExitStack() as running:
        postgres, valkey = Postgres(place), Valkey(place)
        postgres.start()
        running.callback(postgres.stop)
        valkey.start()
        running.callback(valkey.stop)
        yield Servers(place, postgres, valkey)
