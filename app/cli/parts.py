"""The parts of the service one by one, for several machines: `sluice api`, `sluice worker`, `sluice migrate`."""

import os
import sys
from typing import NoReturn

from app.cli.options import Host, Port, module_command, module_environment, settings_with
from app.runtime import check_database_url, check_settings
from app.storage.migrate import upgrade

SHARED = ("database_url", "redis_url", "secret_key")


def api(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve HTTP.

    Needs SLUICE_DATABASE_URL, SLUICE_REDIS_URL and SLUICE_SECRET_KEY. Run as many as you like behind a load balancer.
    """
    check_settings(settings_with(SHARED))
    become("app.main", host, str(port))


def worker() -> None:
    """Work on imports.

    Needs SLUICE_DATABASE_URL, SLUICE_REDIS_URL and SLUICE_SECRET_KEY. Run as many as you like, and let something
    restart them: a worker ends when it loses Redis.
    """
    check_settings(settings_with(SHARED))
    become("workers")


def become(module: str, *arguments: str) -> NoReturn:
    """Goes on as another program: what only the command line needs is not kept in memory for as long as a part runs."""
    sys.stdout.flush()
    command, environment = module_command(module, *arguments), module_environment(module)
    os.execve(sys.executable, command, environment)  # noqa: S606 – no shell is the point


def migrate() -> None:
    """Bring the database to the newest schema.

    Needs SLUICE_DATABASE_URL. Run it before the new API and workers start; running it again changes nothing.
    """
    url = settings_with(("database_url",)).database_url
    if url:
        check_database_url(url.get_secret_value())
        upgrade(url.get_secret_value())
