"""Whatever dies during a delivery: one whole file is at the destination, and never half of one under its name."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.connections.connection import create_connection
from app.exports.destinations import WantedDestination
from app.exports.intake import ExportRequest, submit_export
from app.runs.model import Run
from app.transports.transport import Remote
from tests.faults.arena import Arena, until
from tests.support.sweeps import few, few_or_all
from tests.transports.servers.ftp import ftp_server
from tests.transports.servers.s3 import s3_server
from tests.transports.servers.server import Certificates, Server, Wire
from tests.transports.servers.sftp import SftpServer, sftp_server
from tests.transports.test_connections import body

pytestmark = pytest.mark.asyncio

OLD, NEWER = b"the one of yesterday", b"that of tomorrow"
RECORDS, LENGTH = 10, 100_000  # several pieces
MANY = 100  # 10 MB: S3 takes it in two parts
FILL = """
INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_seq, run_row)
SELECT $1, 'contacts', email, jsonb_build_object('_email', email, '_name', repeat('x', $3)), now(), now(), 1, number
FROM generate_series(1, $2) AS number, format('person%s@example.org', number) AS email"""
# The step, and at which of its occurrences: the first claim is for writing the file.
STEPS = {"SliceClaimed": 2, "begun": 1, "sending": 2, "sent": 1, "settled": 1}


@pytest.fixture
async def sftp() -> AsyncIterator[SftpServer]:
    async with sftp_server() as running:
        yield running


async def started(arena: Arena, *remotes: Remote, records: int = RECORDS) -> Run:
    """An export to out.csv at each of these servers."""
    await arena.ask(FILL, arena.account_id, records, LENGTH)
    vault, destinations = arena.runtime.vault, []
    for number, remote in enumerate(remotes):
        async with arena.runtime.database.transaction() as session:
            connection = await create_connection(session, vault, arena.account_id, body(remote, f"server {number}"))
        destinations.append(WantedDestination(connection.id, "out.csv"))
    wanted = ExportRequest(arena.account_id, "native", "contacts", destinations=destinations)
    return await submit_export(arena.runtime, wanted)


@asynccontextmanager
async def watched(server: Server) -> AsyncIterator[None]:
    """Looks at the destination all the time. There was a file before, and in the end there is only the new one."""
    await server.store("out.csv", OLD)
    seen: set[bytes | None] = set()

    async def look_on() -> None:
        while True:
            seen.add(await server.stored("out.csv"))
            await asyncio.sleep(0.005)

    looking = asyncio.create_task(look_on())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    new = await server.stored("out.csv")
    assert seen <= {OLD, new}, {len(each or b"") for each in seen}
    assert await server.names() == {"out.csv"}


async def assert_delivered(arena: Arena, run: Run, server: Server) -> dict[str, object]:
    row = await arena.ended(run)
    assert (row["state"], row["secret"]) == ("finished", None), arena.told()
    assert '"delivered"' in row["destinations"]
    with arena.runtime.blobs.open(row["blob"], row["blob_digests"]) as file:
        assert await server.stored("out.csv") == file.read()
    return row


@pytest.mark.parametrize("step", few(STEPS, ("sending", "sent")))
async def test_a_worker_killed_during_a_delivery_leaves_no_half_of_a_file(
    arena: Arena, sftp: SftpServer, step: str
) -> None:
    run = await started(arena, sftp.remote)
    async with watched(sftp):
        first = arena.worker(f"{step}:{STEPS[step]}:kill")
        assert await first.ended() == -signal.SIGKILL
        arena.worker()
        row = await assert_delivered(arena, run, sftp)
    assert row["crashes"] == 0


@pytest.mark.parametrize("scheme", few(["s3", "ftp"], ("ftp",)))
async def test_what_a_killed_worker_has_begun_is_deleted_over_every_protocol(
    arena: Arena, certificates: Certificates, scheme: str
) -> None:
    authority = arena.folder / "authority.pem"
    certificates.authority.cert_pem.write_to_path(str(authority))
    opened = s3_server(certificates) if scheme == "s3" else ftp_server("none", certificates)
    async with opened as server:
        await server.clear()
        run = await started(arena, server.remote, records=MANY)
        async with watched(server):
            first = arena.worker("sending:39:kill", ca_file=authority)
            assert await first.ended() == -signal.SIGKILL
            assert len(await server.names()) == 2 or scheme == "s3", "nothing was begun"
            assert await server.stored("out.csv") == OLD
            arena.worker(ca_file=authority)
            await assert_delivered(arena, run, server)


@pytest.mark.parametrize(
    ("step", "renames_over"),
    [
        pytest.param("begun", True, marks=pytest.mark.slow),
        ("sending", True),
        pytest.param("sent", False, marks=pytest.mark.slow),
    ],
)
async def test_a_worker_frozen_during_a_delivery_changes_nothing_when_it_thaws(
    arena: Arena, sftp: SftpServer, step: str, renames_over: bool
) -> None:
    sftp.faults.renames_over = renames_over
    run = await started(arena, sftp.remote)
    async with watched(sftp) if renames_over else unwatched():
        zombie = arena.worker(f"{step}:{STEPS[step]}:stop")
        await zombie.is_frozen()
        arena.worker()
        row = await assert_delivered(arena, run, sftp)
    await sftp.store("out.csv", NEWER)
    zombie.thaw()
    assert await zombie.stopped() == 0
    assert await arena.run(run) == row
    assert await sftp.stored("out.csv") == NEWER
    assert await sftp.names() == {"out.csv"}


@asynccontextmanager
async def unwatched() -> AsyncIterator[None]:
    """A server that cannot rename onto an existing file has none for a moment."""
    yield


@pytest.mark.timeout(180)
@few_or_all(STEPS, ("begun", "sent"))
async def test_postgresql_is_killed_at_steps_of_a_delivery(
    arena: Arena, sftp: SftpServer, steps: tuple[str, ...]
) -> None:
    run = await started(arena, sftp.remote)
    async with watched(sftp):
        worker = arena.worker(",".join(f"{step}:{nth}:wait" for step, nth in STEPS.items() if step in steps))
        for number in range(1, len(steps) + 1):
            await worker.meets_fault(number)
            arena.servers.postgres.kill()
            worker.go_on()
            arena.servers.postgres.start()
        row = await assert_delivered(arena, run, sftp)
    assert row["crashes"] == 0
    assert await worker.stopped() == 0


class DyingWire(Wire):
    """Stands before a server and is cut off after so many bytes to it; then nobody gets through until it is mended."""

    left = 500_000

    async def _up(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            self.left -= len(piece)
            if self.left < 0:
                back.transport.abort()
                return
            back.write(piece)
            await back.drain()


async def test_a_server_that_dies_during_a_delivery_gets_the_file_when_it_is_back(
    arena: Arena, sftp: SftpServer
) -> None:
    """The other destination does not wait for it."""
    assert sftp.remote.port
    async with sftp_server() as other, DyingWire(sftp.remote.port).running() as wire:
        run = await started(arena, sftp.at(wire.port), other.remote)
        async with watched(sftp), watched(other):
            arena.worker()
            await until(lambda: other_is_done(arena, run), "the other destination waits")
            assert await sftp.stored("out.csv") == OLD
            wire.left = 10**9
            await assert_delivered(arena, run, sftp)
            await assert_delivered(arena, run, other)


async def other_is_done(arena: Arena, run: Run) -> bool:
    row = await arena.run(run)
    assert row["state"] in ("queued", "running")
    return '"delivered"' in row["destinations"]
