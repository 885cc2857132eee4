"""`sluice api`, `sluice worker`, `sluice migrate`: the parts of the service one by one, for several machines."""

import asyncio
import os
import sys
from typing import NoReturn

from app.cli.options import Host, Port, Wait, load_settings, module_command, module_environment
from app.cli.serving.waiting import DATABASE, EVERYTHING, wait_for
from app.runtime import build_database, check_database_url, check_settings, secret_value
from app.servers import reach_database
from app.storage.migrate import read_schema, upgrade

REQUIRED_SETTINGS = ("database_url", "redis_url", "secret_key")


def api(host: Host = "127.0.0.1", port: Port = 8000, wait: Wait = False) -> None:
    """Serve the HTTP API.

    Requires SLUICE_DATABASE_URL, SLUICE_REDIS_URL and SLUICE_SECRET_KEY. Run any number behind a load balancer.
    """
    prepare_part(wait)
    exec_module("app.main", host, str(port))


def worker(wait: Wait = False) -> None:
    """Process imports.

    Requires SLUICE_DATABASE_URL, SLUICE_REDIS_URL and SLUICE_SECRET_KEY. Run any number, under a supervisor that
    restarts them: a worker exits when it loses its connection to Redis.
    """
    prepare_part(wait)
    exec_module("workers")


def prepare_part(wait: bool) -> None:
    """Raises UsageError, Misconfigured. Without --wait the part itself says which server does not answer."""
    settings = load_settings(REQUIRED_SETTINGS)
    check_settings(settings)
    if wait:
        asyncio.run(wait_for(EVERYTHING, settings))


def exec_module(module: str, *arguments: str) -> NoReturn:
    """Replaces this process with another program, so that the command line takes no memory while a part runs."""
    sys.stdout.flush()
    command, environment = module_command(module, *arguments), module_environment(module)
    os.execve(sys.executable, command, environment)  # noqa: S606  no shell is intended


def migrate(wait: Wait = False) -> None:
    """Upgrade the database to the newest schema.

    Requires SLUICE_DATABASE_URL. Run it before the new API and workers start. Running it again changes nothing.
    """
    settings = load_settings(("database_url",))
    url = secret_value(settings.database_url)
    check_database_url(url)
    if wait:
        asyncio.run(wait_for(DATABASE, settings))
    before = asyncio.run(find_schema(url))
    upgrade(url)
    print(f"sluice: {describe_migration(before, asyncio.run(find_schema(url)))}")


async def find_schema(url: str) -> str:
    """Raises DatabaseUnavailable, SchemaUnfit, Misconfigured."""
    database = build_database(url, pool_size=1)
    try:
        await reach_database(database)
        async with database.read() as session:
            return await read_schema(session)
    finally:
        await database.close()


def describe_migration(before: str, after: str) -> str:
    if before == after:
        return f"the schema is {after} already"
    return f"migrated from {before} to {after}" if before else f"created the schema {after}"
