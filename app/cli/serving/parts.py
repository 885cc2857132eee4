"""`sluice api`, `sluice worker`, `sluice migrate`: the parts of the service one by one, for several machines."""

import os
import sys
from typing import NoReturn

from app.cli.options import Host, Port, load_settings, module_command, module_environment
from app.runtime import check_database_url, check_settings
from app.storage.migrate import upgrade

REQUIRED_SETTINGS = ("database_url", "redis_url", "secret_key")


def api(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the HTTP API.

    Requires SLUICE_DATABASE_URL, SLUICE_REDIS_URL and SLUICE_SECRET_KEY. Run any number behind a load balancer.
    """
    check_settings(load_settings(REQUIRED_SETTINGS))
    exec_module("app.main", host, str(port))


def worker() -> None:
    """Process imports.

    Requires SLUICE_DATABASE_URL, SLUICE_REDIS_URL and SLUICE_SECRET_KEY. Run any number, under a supervisor that
    restarts them: a worker exits when it loses its connection to Redis.
    """
    check_settings(load_settings(REQUIRED_SETTINGS))
    exec_module("workers")


def exec_module(module: str, *arguments: str) -> NoReturn:
    """Replaces this process with another program, so that the command line takes no memory while a part runs."""
    sys.stdout.flush()
    command, environment = module_command(module, *arguments), module_environment(module)
    os.execve(sys.executable, command, environment)  # noqa: S606  no shell is intended


def migrate() -> None:
    """Upgrade the database to the newest schema.

    Requires SLUICE_DATABASE_URL. Run it before the new API and workers start. Running it again changes nothing.
    """
    url = load_settings(("database_url",)).database_url
    if url:
        check_database_url(url.get_secret_value())
        upgrade(url.get_secret_value())
