"""`sluice emulate`: the whole service in a folder that is removed at the end, for the test suites of other programs."""

import asyncio
import os
from dataclasses import dataclass
from typing import Final

from app.auth.keys import SCOPES, secret_hash
from app.cli.options import Host, Port, temporary_data
from app.cli.serving.supervisor import Supervisor
from app.cli.serving.up import Programs, UpOptions, find_port, run_all
from app.embedded import Instance, lock_data_folder
from app.observe.logs import configure
from app.runtime import build_database
from app.settings import Settings
from app.storage.access import accounts
from app.storage.emulator.schema import create_schema

# Small, quick to see that a worker has died, and free to call the servers that tests run on this machine.
ENVIRONMENT: Final = {
    "SLUICE_DATABASE_POOL": "4",
    "SLUICE_LEASE_SECONDS": "3",
    "SLUICE_SWEEP_SECONDS": "0.5",
    "SLUICE_SHUTDOWN_SECONDS": "2",
    "SLUICE_ALLOW_NETWORKS": "127.0.0.0/8,::1",
    "SLUICE_LOG_LEVEL": "warning",
}


@dataclass(frozen=True, slots=True)
class SeededKey:
    """A key that is the same in every emulator. It opens nothing else."""

    account: str
    id: str
    secret: str
    scopes: tuple[str, ...]
    allows: str

    @property
    def whole(self) -> str:
        return f"{self.id}:{self.secret}"


READING: Final = tuple(scope for scope in SCOPES if scope.endswith(":read"))
KEYS: Final = (
    SeededKey("shop", "sluice_0000000000000001", "emulator", tuple(SCOPES), "everything"),
    SeededKey("shop", "sluice_0000000000000002", "emulator", READING, "reading"),
    SeededKey("other", "sluice_0000000000000003", "emulator", tuple(SCOPES), "everything"),
)


def emulate(host: Host = "127.0.0.1", port: Port = 8900) -> None:
    """Run the whole service for the tests of a program that uses it, with faults on demand.

    Its accounts and keys are always the same, and its clock can be moved. Everything is in a temporary folder, which is
    removed at the end. Settings of the environment do not count. Use it for tests only: everybody knows its keys.
    """
    for name in [each for each in os.environ if each.startswith("SLUICE_")]:
        del os.environ[name]
    os.environ.update(ENVIRONMENT)
    settings = Settings()
    configure(settings.log_level, settings.log_format)
    programs = Programs(api="app.emulator", worker="workers.emulator", prepare=prepare)
    options = UpOptions(host, find_port(host, port), workers=1, programs=programs)
    supervisor = Supervisor()
    with (
        temporary_data("sluice-emulator-") as path,
        lock_data_folder(path) as folder,
        supervisor.handling_signals(),
    ):
        run_all(supervisor, settings, folder, options, lambda: announce(options.url))


def prepare(instance: Instance) -> None:
    asyncio.run(seed(instance))


async def seed(instance: Instance) -> None:
    """Adds what only an emulator has, and its accounts and keys."""
    database = build_database(instance.database_url, pool_size=1)
    try:
        async with database.transaction() as session:
            await create_schema(session)
            for key in KEYS:
                account_id = await accounts.account_named(session, key.account)
                hashed = secret_hash(key.id, key.secret, instance.secret_key)
                values = {"label": "emulator", "created_by": None, "days": None, "secret_hash": hashed}
                await accounts.add_key(session, account_id, key.id, scopes=list(key.scopes), **values)
    finally:
        await database.close()


def announce(url: str) -> None:
    print(f"The emulator is ready at {url}")
    for key in KEYS:
        print(f"  account {key.account}, {key.allows}: {key.whole}")
    print(f"Faults: PUT {url}/emulator/faults. Clock: PUT {url}/emulator/clock. Ctrl-C ends it", flush=True)
