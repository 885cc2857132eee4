"""PostgreSQL and Valkey for a run of the tests, and settings that point to them."""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from pydantic import SecretStr

from app.embedded import Servers, run_servers
from app.settings import Settings
from app.storage.migrate import upgrade

PEPPER = "the pepper of the tests, 32 characters"
TEMPLATE = "template_sluice"  # on the newest schema
# For `make test-all`: how many hash partitions the records of all tests have.
PARTITIONS = int(os.environ.get("SLUICE_TEST_PARTITIONS", "0"))
PARTITION = """
CREATE TEMPORARY TABLE triggers AS SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger
WHERE tgrelid = 'records'::regclass AND NOT tgisinternal;
ALTER TABLE records RENAME TO whole;
CREATE TABLE records (LIKE whole INCLUDING ALL) PARTITION BY HASH (account_id);
DROP TABLE whole;
DO $$ DECLARE each record; BEGIN
    FOR each IN SELECT generate_series(0, {number} - 1) AS rest LOOP
        EXECUTE format('CREATE TABLE records_%s PARTITION OF records FOR VALUES WITH (MODULUS {number}, REMAINDER %s)
            WITH (fillfactor = 50)', each.rest, each.rest);
    END LOOP;
    FOR each IN SELECT definition FROM triggers LOOP
        EXECUTE each.definition;
    END LOOP;
END $$"""


@contextmanager
def running_servers() -> Iterator[Servers]:
    # Not pytest's own folder: that is closed to the account that the servers run as.
    base = Path(tempfile.mkdtemp(prefix="sluice-test-"))
    base.chmod(0o711)
    try:
        # A start after a kill would first sync every file of dozens of databases, and each commit wait for the disk.
        # Only a machine that crashes shows the difference: what a killed process has written, the system still has.
        with run_servers(base / "data", fsync="off") as servers:
            make_template(servers)
            yield servers
            # An orderly end would write out dozens of databases that nobody wants.
            servers.postgres.kill()
            servers.valkey.kill()
    finally:
        remove(base)


def make_template(servers: Servers) -> None:
    """One migrated database, since to copy it takes a fifth of the time. Blocking."""
    asyncio.run(execute(servers.database_url, f"CREATE DATABASE {TEMPLATE}"))
    upgrade(address_of(servers, TEMPLATE))
    if PARTITIONS:
        partition_records(address_of(servers, TEMPLATE), PARTITIONS)


def partition_records(url: str, number: int) -> None:
    """Divides `records`, which must be empty, by their accounts. Blocking."""
    asyncio.run(execute(url, PARTITION.format(number=number)))


def new_database(servers: Servers, name: str) -> str:
    """The address of a new database on the newest schema. Blocking."""
    asyncio.run(execute(servers.database_url, f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE}'))
    return address_of(servers, name)


def empty_database(servers: Servers, name: str) -> str:
    """The address of a new database without a schema, whose name begins with this one. Blocking."""
    name = f"{name}_{token_hex(4)}"
    asyncio.run(execute(servers.database_url, f'CREATE DATABASE "{name}"'))
    return address_of(servers, name)


def address_of(servers: Servers, name: str) -> str:
    return urlunsplit(urlsplit(servers.database_url)._replace(path=f"/{name}"))


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def remove(folder: Path) -> None:
    """Servers that were killed may still be tidying up in it."""
    deadline = time.monotonic() + 5
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)


def redis_number(servers: Servers, number: int) -> str:
    """The address of one of Valkey's numbered databases."""
    return urlunsplit(urlsplit(servers.redis_url)._replace(path=f"/{number}"))


def settings_for(data: Path, database_url: str, redis_url: str, **values: object) -> Settings:
    given = Settings(_env_file=None)  # type: ignore[call-arg]
    return given.model_copy(
        update={
            "data": data,
            "blobs": None,
            "database_url": SecretStr(database_url),
            "redis_url": SecretStr(redis_url),
            "secret_key": SecretStr(PEPPER),
            "public_url": None,
            **values,
        }
    )
