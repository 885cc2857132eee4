"""A PgBouncer in transaction mode in front of a database, from a package of Debian."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from urllib.parse import urlsplit

from app.embedded import find_server_user, free_port
from tests.support.environments import CACHE
from tests.support.parts import wait_until
from tests.support.servers import execute

HOST, SECONDS = "127.0.0.1", 10
OLDEST = (1, 21)  # keeps prepared statements in transaction mode


def find_pooler() -> tuple[str, tuple[int, ...]]:
    """The newest program and its version; ("", ()) if there is none. `.ci/pgbouncer` brings one that is new enough."""
    programs = [program for place in (None, CACHE / "pgbouncer") if (program := shutil.which("pgbouncer", path=place))]
    return max(((program, ask_version(program)) for program in programs), key=itemgetter(1), default=("", ()))


def ask_version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.findall(r"\d+", said)[:3])


class Pooler:
    """`url` is the address of the database by way of the pooler."""

    def __init__(self, program: str, database_url: str, folder: Path, **settings: object) -> None:
        self.behind = urlsplit(database_url)
        self.port = free_port()
        user = find_server_user()
        folder.chmod(0o755)
        users = folder / "users.txt"
        users.write_text(f'"{self.behind.username}" "{self.behind.password}"\n')
        own = {
            "listen_addr": HOST,
            "listen_port": self.port,
            "auth_type": "scram-sha-256",
            "auth_file": users,
            "admin_users": self.behind.username,
            "unix_socket_dir": "",
            "pool_mode": "transaction",
            "default_pool_size": 3,
            "max_prepared_statements": 200,
            "ignore_startup_parameters": "options",
            "tcp_user_timeout": 15000,
            "tcp_keepidle": 5,
            "tcp_keepintvl": 5,
        }
        lines = "".join(f"{name} = {value}\n" for name, value in (own | settings).items())
        database = f"* = host={self.behind.hostname} port={self.behind.port}\n"
        (folder / "pgbouncer.ini").write_text(f"[databases]\n{database}[pgbouncer]\n{lines}")
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, *(("-u", user.name) if user else ()), str(folder / "pgbouncer.ini")], stdout=log, stderr=log
            )
        wait_until(lambda: b"process up" in self.log.read_bytes(), "the pooler does not start", SECONDS)

    @property
    def url(self) -> str:
        return self.behind._replace(netloc=f"{self.behind.netloc.rpartition('@')[0]}@{HOST}:{self.port}").geturl()

    async def reconnect(self) -> None:
        """Lets it open new sessions, as an operator does on its console."""
        await execute(self.behind._replace(netloc=urlsplit(self.url).netloc, path="/pgbouncer").geturl(), "RECONNECT")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS)


@contextmanager
def running_pooler(program: str, database_url: str, **settings: object) -> Iterator[Pooler]:
    with tempfile.TemporaryDirectory() as folder:
        pooler = Pooler(program, database_url, Path(folder), **settings)
        try:
            yield pooler
        finally:
            pooler.stop()
