"""A Valkey with a replica, and a sentinel that makes the replica the master when the master is gone.

Several sentinels would elect one of them first, and now and then that takes them ten seconds: it is their affair."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from app.embedded import free_port
from tests.support.parts import wait_until

HOST, MASTER, PASSWORD, SENTINEL_PASSWORD = "127.0.0.1", "night", "of/servers", "of sentinels"
# A sentinel looks at the servers so often, in milliseconds, that a test need not wait for it. It still pings each
# second: it takes no replica for a master that it has not heard for five of those.
PERIODS = ("info-period", "100", "ask-period", "100", "publish-period", "100")
DOWN_MS = "400"  # of silence, after which a sentinel takes a server for dead


class Guarded:
    """Three processes, or two without a replica."""

    def __init__(self, program: str, folder: Path, *, replica: bool) -> None:
        self._program = program
        self._folder = folder
        self._servers: dict[int, subprocess.Popen[bytes]] = {}
        first, second, self.port = free_port(), free_port(), free_port()
        for port in (first, second) if replica else (first,):
            self._servers[port] = self._start(port)
        if replica:
            wait_until(lambda: replicates(second, first), "the replica does not start")
        self._sentinel = self._start_sentinel(first)
        wait_until(lambda: self._knows([("slave", "ok")] * replica), "the sentinel does not find the servers")

    @property
    def url(self) -> str:
        """The first of the sentinels that it names is away."""
        hosts = f"{HOST}:1,{HOST}:{self.port}"
        return f"redis+sentinel://:of%2Fservers@{hosts}/{MASTER}/1?sentinel_password=of+sentinels"

    def kill_master(self) -> None:
        """As when its machine loses power."""
        port = self.master()
        self._servers[port].kill()
        self._servers.pop(port).wait(10)

    def master(self) -> int:
        with self._asking() as sentinel:
            return int(sentinel.sentinel_get_master_addr_by_name(MASTER)[1])

    def stop(self) -> None:
        for process in (*self._servers.values(), self._sentinel):
            process.kill()
            process.wait(10)

    def _asking(self) -> "Redis[bytes]":
        return Redis(HOST, self.port, password=SENTINEL_PASSWORD)

    def _start(self, port: int) -> subprocess.Popen[bytes]:
        place = ("--bind", HOST, "--port", str(port), "--dir", str(self._folder), "--dbfilename", f"{port}.rdb")
        own = ("--requirepass", PASSWORD, "--masterauth", PASSWORD, "--save", "")
        soon = ("--repl-diskless-sync", "no", "--hz", "100")
        with (self._folder / f"{port}.log").open("wb") as log:
            return subprocess.Popen([self._program, *place, *own, *soon], stdout=log, stderr=log)

    def _start_sentinel(self, master: int) -> subprocess.Popen[bytes]:
        file = self._folder / "sentinel.conf"
        file.write_text(
            f"bind {HOST}\nport {self.port}\ndir {self._folder}\n"
            f'requirepass "{SENTINEL_PASSWORD}"\n'
            f"sentinel monitor {MASTER} {HOST} {master} 1\nsentinel auth-pass {MASTER} {PASSWORD}\n"
            f"sentinel down-after-milliseconds {MASTER} {DOWN_MS}\nsentinel failover-timeout {MASTER} 3000\n"
        )
        with (self._folder / "sentinel.log").open("wb") as log:
            return subprocess.Popen([self._program, str(file), "--sentinel"], stdout=log, stderr=log)

    def _knows(self, replicas: list[tuple[str, str]]) -> bool:
        try:
            with self._asking() as sentinel:
                sentinel.execute_command("SENTINEL", "DEBUG", *PERIODS)
                found = [(each["flags"], each["master-link-status"]) for each in sentinel.sentinel_slaves(MASTER)]
                return found == replicas and sentinel.sentinel_master(MASTER)["flags"] == "master"
        except RedisError:
            return False


def replicates(replica: int, master: int) -> bool:
    """Asked of a running server, it begins at once, and as a setting after a second."""
    try:
        with Redis(HOST, replica, password=PASSWORD) as redis:
            return bool(redis.replicaof(HOST, master))
    except RedisError:
        return False


@contextmanager
def running_sentinels(program: str, *, replica: bool = True) -> Iterator[Guarded]:
    with tempfile.TemporaryDirectory() as folder:
        guarded = Guarded(program, Path(folder), replica=replica)
        try:
            yield guarded
        finally:
            guarded.stop()
