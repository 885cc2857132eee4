"""Both servers start, stop, and come back from a kill with everything that was written."""

import asyncio
import os
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis import AuthenticationError

from app.embedded import (
    DataFolderInUse,
    InstanceNotRunning,
    Postgres,
    StartFailed,
    find_running_instance,
    lock_data_folder,
    run_servers,
)
from app.embedded.child import MAX_LOG_BYTES
from tests.embedded.asking import Ask, Query

HELD = "pre-existing shared memory block"


@contextmanager
def lasting_session(url: str) -> Iterator[psutil.Process]:
    """The server's process of a session that stays open."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(url))
        session = psutil.Process(connection.get_server_pid())
        try:
            yield session
        finally:
            resume(session)
            connection.terminate()
            runner.run(asyncio.sleep(0))


def resume(session: psutil.Process) -> None:
    """It may have gone on, and ended, before."""
    with suppress(psutil.NoSuchProcess):
        session.resume()


def test_both_servers_keep_their_data_over_a_restart(data: Path, query: Query, ask: Ask) -> None:
    with run_servers(data) as servers:
        query(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS n")
        ask(servers.redis_url, "SET", "kept", "42")

    with run_servers(data) as servers:
        assert query(servers.database_url, "SELECT n FROM kept") == 42
        assert ask(servers.redis_url, "GET", "kept") == "42"


def test_a_killed_postgresql_comes_back_on_its_port_with_every_commit(data: Path, query: Query) -> None:
    with run_servers(data) as servers:
        url = servers.database_url
        query(url, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")

        servers.postgres.kill()
        servers.postgres.start()

        assert servers.database_url == url
        assert query(url, "SELECT count(*) FROM kept") == 1000


def test_postgresql_waits_for_the_sessions_of_a_killed_one_and_does_not_take_their_words_for_its_own(
    data: Path, query: Query
) -> None:
    """A session that is slow to notice holds the shared memory, and its neighbours' complaints are in the same log."""
    with run_servers(data) as servers, lasting_session(servers.database_url) as session:
        log, neighbours = servers.postgres.log, iter(["[7] FATAL:  terminating connection\n"])

        def sleep(seconds: float) -> None:
            with log.open("a") as words:
                words.writelines(neighbours)
            if HELD in log.read_text():
                resume(session)
            time.sleep(seconds)

        session.suspend()
        servers.postgres.kill()
        servers.postgres.start(sleep=sleep)

        assert HELD in log.read_text(), "it did not have to wait for the old session"
        assert query(servers.database_url, "SELECT 1") == 1


def test_a_killed_valkey_comes_back_on_its_port_with_what_it_acknowledged(data: Path, ask: Ask) -> None:
    with run_servers(data) as servers:
        url = servers.redis_url
        for number in range(100):
            ask(url, "RPUSH", "kept", str(number))

        servers.valkey.kill()
        servers.valkey.start()

        assert servers.redis_url == url
        assert ask(url, "LLEN", "kept") == 100


def test_the_servers_are_durable_and_never_evict(data: Path, query: Query, ask: Ask) -> None:
    with run_servers(data) as servers:
        assert query(servers.database_url, "SHOW fsync") == "on"
        assert query(servers.database_url, "SHOW synchronous_commit") == "on"
        assert ask(servers.redis_url, "CONFIG", "GET", "appendonly") == ["appendonly", "yes"]
        assert ask(servers.redis_url, "CONFIG", "GET", "maxmemory-policy") == ["maxmemory-policy", "noeviction"]


def test_settings_of_the_caller_outlast_a_crash(data: Path, query: Query) -> None:
    """Those of the tests do: without them each start after a kill waits for the disk."""
    with run_servers(data, fsync="off") as servers:
        servers.postgres.kill()
        servers.postgres.start()
        assert query(servers.database_url, "SHOW fsync") == "off"


def test_text_is_sorted_by_code_point_and_folded_as_unicode_says(data: Path, query: Query) -> None:
    with run_servers(data) as servers:
        assert query(servers.database_url, "SELECT lower('ÄÖŁ')") == "äöł"
        assert query(servers.database_url, "SELECT 'Z' < 'a'") is True


def test_nobody_gets_in_without_the_password(data: Path, query: Query, ask: Ask) -> None:
    with run_servers(data) as servers:
        secrets = servers.data_folder.secrets
        with pytest.raises(asyncpg.InvalidPasswordError):
            query(servers.database_url.replace(secrets.postgres, "wrong"), "SELECT 1")
        with pytest.raises(AuthenticationError):
            ask(servers.redis_url.replace(secrets.valkey, "wrong"), "PING")


def test_no_password_is_seen_on_a_command_line_or_in_a_readable_file(data: Path) -> None:
    with run_servers(data) as servers:
        secrets = servers.data_folder.secrets
        for child in (servers.postgres.child, servers.valkey.child):
            assert child is not None
            line = subprocess.run(["ps", "-o", "args=", "-p", str(child.process.pid)], capture_output=True, check=True)
            assert secrets.postgres.encode() not in line.stdout
            assert secrets.valkey.encode() not in line.stdout
        assert stat.S_IMODE((data / "secrets.json").stat().st_mode) == 0o600
        assert stat.S_IMODE((data / "servers" / "postgres").stat().st_mode) == 0o700
        assert not (data / "servers" / "password").exists()


def test_a_second_start_on_the_same_folder_is_refused_by_name(data: Path) -> None:
    with (
        lock_data_folder(data),
        pytest.raises(DataFolderInUse, match=rf"{data} is in use by process {os.getpid()}: Sluice runs there already$"),
        lock_data_folder(data),
    ):
        pytest.fail("both hold the folder")


def test_data_of_another_major_version_is_refused_before_postgresql_touches_it(data: Path) -> None:
    with run_servers(data) as servers:
        version = servers.data_folder.servers / "postgres" / "PG_VERSION"
    version.write_text("14\n")

    with lock_data_folder(data) as data_folder, pytest.raises(StartFailed, match="was created by PostgreSQL 14"):
        Postgres(data_folder).start()


def test_a_pid_file_that_names_a_stranger_does_not_keep_postgresql_down(data: Path, query: Query) -> None:
    """After a restart of the machine the old process id may be anybody's, here that of a `sleep`."""
    with lock_data_folder(data) as data_folder:
        postgres = Postgres(data_folder)
        postgres.start()
        postgres.kill()
        pid_file = data_folder.servers / "postgres" / "postmaster.pid"
        account = {"user": data_folder.user.uid} if data_folder.user else {}
        stranger = subprocess.Popen(["sleep", "60"], **account)  # type: ignore[call-overload]
        try:
            _, *rest = pid_file.read_text().splitlines()
            pid_file.write_text("\n".join([str(stranger.pid), *rest]))
            data_folder.pid_file("postgres").write_text(f"{stranger.pid} began-at-another-time")

            postgres.start()

            assert query(postgres.url, "SELECT 1") == 1
            assert stranger.poll() is None
            postgres.stop()
        finally:
            stranger.kill()
            stranger.wait()


@pytest.mark.parametrize("length", [0, MAX_LOG_BYTES + 1], ids=["short log", "log that is started again"])
def test_postgresql_that_cannot_start_says_why_in_its_own_words(data: Path, length: int) -> None:
    with run_servers(data) as servers:
        control = servers.data_folder.servers / "postgres" / "global" / "pg_control"
    control.unlink()
    with servers.postgres.log.open("ab") as log:
        log.write(b"\n" * length)

    with lock_data_folder(data) as data_folder, pytest.raises(StartFailed, match="could not find the database system"):
        Postgres(data_folder).start()


def test_a_folder_on_which_nothing_runs_has_no_instance(data: Path) -> None:
    with pytest.raises(InstanceNotRunning, match=f"sluice up --data {data}"):
        find_running_instance(data)


def test_queries_may_run_beside_each_other(data: Path) -> None:
    async def two_at_once(url: str) -> list[int]:
        connections = [await asyncpg.connect(url) for _ in range(2)]
        try:
            return list(await asyncio.gather(*(connection.fetchval("SELECT 1") for connection in connections)))
        finally:
            for connection in connections:
                await connection.close()

    with run_servers(data) as servers:
        assert asyncio.run(two_at_once(servers.database_url)) == [1, 1]
