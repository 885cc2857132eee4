"""What every transport promises, tested for each against a real server of its protocol."""

import asyncio
import hashlib
import pickle
import random
import ssl
import sys
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.transports import connect
from app.transports.afterwards import Disposal, dispose_of, parse_afterwards
from app.transports.failed import TransportFailed
from app.transports.fetch import fetch
from app.transports.send import send
from app.transports.transport import CHUNK, FileInfo, TransferPolicy, forget
from tests.transports.conftest import SERVERS
from tests.transports.servers.server import PASSWORD, Certificates, Server, black_hole

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1_048_576
MakePolicy = Callable[..., TransferPolicy]


class Kept:
    """Keeps what was fetched, and may do something after the first piece."""

    def __init__(self, then: Callable[[], Awaitable[None]] | None = None) -> None:
        self.data = bytearray()
        self.written = 0
        self.restarts = 0
        self._then = then

    async def begin(self, file: FileInfo) -> None:
        """The bytes are compared as they come."""

    async def write(self, data: bytes) -> None:
        assert len(data) <= CHUNK
        self.data += data
        self.written += len(data)
        if self._then:
            then, self._then = self._then, None
            await then()

    async def start_over(self) -> None:
        self.data.clear()
        self.restarts += 1


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


async def pieces(data: bytes, size: int = 300_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(server: Server, policy: TransferPolicy, path: str, offset: int = 0) -> bytes:
    async with connect(server.remote, policy) as transport:
        return b"".join([piece async for piece in transport.read(path, offset=offset)])


async def test_a_big_file_needs_little_memory(server: Server, certificates: Certificates, tmp_path: Path) -> None:
    data = noise(20 * MEGABYTE)
    await server.store("small.csv", noise(5 * MEGABYTE, 2))
    await server.store("large.csv", data)
    authority = tmp_path / "authority.pem"
    certificates.authority.cert_pem.write_to_path(str(authority))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.transports.fetching", cwd=ROOT, stdin=-1, stdout=-1
    )
    answer, _ = await child.communicate(pickle.dumps((server.remote, str(authority), "small.csv", "large.csv")))
    size, digest, grown = answer.split()
    assert (int(size), digest.decode()) == (len(data), hashlib.sha256(data).hexdigest())
    assert int(grown) < 8 * 1024, f"{grown.decode()} KiB more for 20 MiB"


@pytest.mark.parametrize("any_server", SERVERS, indirect=True)
@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1])
async def test_a_file_arrives_as_it_is(server: Server, patient: MakePolicy, size: int) -> None:
    data = noise(size)
    await server.store("folder/file.bin", data)
    sink = Kept()
    entry = await fetch(server.remote, "folder/file.bin", patient(), sink)
    assert bytes(sink.data) == data
    assert entry.size == size
    assert sink.restarts == 0


async def test_reading_may_begin_anywhere(server: Server, patient: MakePolicy) -> None:
    data = noise(700_000)
    await server.store("file.bin", data)
    assert await read(server, patient(), "file.bin", 3) == data[3:]
    assert await read(server, patient(), "file.bin", 699_999) == data[-1:]
    assert await read(server, patient(), "file.bin", 700_000) == b""


@pytest.mark.parametrize(
    "path", ["a b.csv", "größe/наш файл.csv", "100%.csv", "a+b&c=d;e.csv", 'quo\'te "x".csv', "日本.csv"]
)
async def test_names_may_have_blanks_and_letters_of_any_script(server: Server, patient: MakePolicy, path: str) -> None:
    await server.store(path, b"sku,name\n")
    assert await read(server, patient(), path) == b"sku,name\n"
    async with connect(server.remote, patient()) as transport:
        assert (await transport.stat(path)).size == 9


@pytest.mark.parametrize("path", ["/folder/file.csv", "./folder/file.csv", "folder/file.csv"])
async def test_a_path_may_begin_in_three_ways(server: Server, patient: MakePolicy, path: str) -> None:
    await server.store("folder/file.csv", b"x")
    assert await read(server, patient(), path) == b"x"


@pytest.mark.parametrize("path", ["", "a\r\nDELE b", "a\x00b", "a\nb", "x" * 9_000])
async def test_a_harmful_path_is_not_sent(server: Server, patient: MakePolicy, path: str) -> None:
    async with connect(server.remote, patient()) as transport:
        with pytest.raises(TransportFailed) as failed:
            await transport.stat(path)
    assert failed.value.step == "address"


async def test_a_missing_file_is_reported_as_missing(server: Server, patient: MakePolicy) -> None:
    await server.store("other.csv", b"x")
    started = time.monotonic()
    for path in ("none.csv", "no/such/folder/none.csv"):
        with pytest.raises(TransportFailed, match="The file does not exist") as failed:
            await fetch(server.remote, path, patient(tries=5), Kept())
        assert (failed.value.step, failed.value.transient) == ("find", False)
    assert time.monotonic() - started < 3, "it was tried again"


async def test_a_wrong_password_is_not_repeated(server: Server, patient: MakePolicy) -> None:
    await server.store("file.csv", b"x")
    with pytest.raises(TransportFailed) as failed:
        await fetch(server.unwelcome(), "file.csv", patient(), Kept())
    assert (failed.value.step, failed.value.transient) == ("authenticate", False)
    told = "".join(traceback.format_exception(failed.value))
    assert PASSWORD not in told
    assert "another exception" not in told, "the client's own words are there"


async def test_a_server_with_an_untrusted_certificate_is_refused(server: Server, patient: MakePolicy) -> None:
    if not server.secure:
        pytest.skip("no TLS")
    await server.store("file.csv", b"x")
    strict = patient(tls=ssl.create_default_context())
    with pytest.raises(TransportFailed, match="certificate is not trusted") as failed:
        await fetch(server.remote, "file.csv", strict, Kept())
    assert (failed.value.step, failed.value.transient) == ("connect", False)


async def test_a_closed_port_is_reported_as_unreachable(
    server: Server, patient: MakePolicy, unused_tcp_port: int
) -> None:
    with pytest.raises(TransportFailed, match="cannot be reached") as failed:
        await fetch(server.at(unused_tcp_port), "file.csv", patient(tries=1), Kept())
    assert (failed.value.step, failed.value.transient) == ("connect", True)


async def test_a_server_that_never_answers_is_given_up(server: Server, patient: MakePolicy) -> None:
    started = time.monotonic()
    with black_hole() as port, pytest.raises(TransportFailed, match="did not answer in time") as failed:
        await fetch(server.at(port), "file.csv", patient(connect_seconds=0.5, tries=1), Kept())
    assert (failed.value.step, failed.value.transient) == ("connect", True)
    assert time.monotonic() - started < 3


async def test_a_transfer_that_breaks_off_goes_on_where_it_was(server: Server, patient: MakePolicy) -> None:
    data = noise(6 * MEGABYTE)
    await server.store("file.bin", data)
    server.cut_after(3 * MEGABYTE)
    sink = Kept()
    await fetch(server.remote, "file.bin", patient(), sink)
    assert bytes(sink.data) == data
    assert sink.written == len(data), "bytes were fetched twice"
    assert sink.restarts == 0


async def test_a_truncated_transfer_is_never_taken_for_complete(server: Server, patient: MakePolicy) -> None:
    await server.store("file.bin", noise(6 * MEGABYTE))
    server.cut_after(3 * MEGABYTE)
    with pytest.raises(TransportFailed) as failed:
        await read(server, patient(), "file.bin")
    assert (failed.value.step, failed.value.transient) == ("read", True)


async def test_a_server_that_falls_silent_is_dropped_and_tried_again(server: Server, patient: MakePolicy) -> None:
    data = noise(6 * MEGABYTE)
    await server.store("file.bin", data)
    server.stall_after(3 * MEGABYTE)
    with pytest.raises(TransportFailed, match="sent nothing for too long") as failed:
        await fetch(server.remote, "file.bin", patient(idle_seconds=0.5, tries=1), Kept())
    assert (failed.value.step, failed.value.transient) == ("read", True)
    server.stall_after(3 * MEGABYTE)
    sink = Kept()
    await fetch(server.remote, "file.bin", patient(idle_seconds=0.5), sink)
    assert bytes(sink.data) == data


async def test_a_transfer_has_a_time_limit(server: Server, patient: MakePolicy) -> None:
    await server.store("file.bin", noise(6 * MEGABYTE))
    server.stall_after(3 * MEGABYTE)
    started = time.monotonic()
    with pytest.raises(TransportFailed, match="took too long") as failed:
        await fetch(server.remote, "file.bin", patient(idle_seconds=30, total_seconds=1), Kept())
    assert (failed.value.step, failed.value.transient) == ("read", False)
    assert time.monotonic() - started < 5


async def test_a_file_that_changes_while_it_is_read_is_fetched_again(server: Server, patient: MakePolicy) -> None:
    old, new = noise(6 * MEGABYTE), noise(6 * MEGABYTE, 2)
    now = datetime.now(UTC)
    await server.store("file.bin", old, now - timedelta(hours=1))
    sink = Kept(lambda: server.store("file.bin", new, now))
    await fetch(server.remote, "file.bin", patient(), sink)
    assert bytes(sink.data) == new
    assert sink.restarts == 1


async def test_a_file_that_keeps_changing_is_given_up(server: Server, patient: MakePolicy) -> None:
    now = datetime.now(UTC)
    sink = Kept()
    versions = 0

    async def change() -> None:
        nonlocal versions
        versions += 1
        sink._then = change
        await server.store("file.bin", noise(400_000 + versions), now + timedelta(seconds=versions))

    await server.store("file.bin", noise(400_000), now)
    sink._then = change
    with pytest.raises(TransportFailed, match="changed while it was being read") as failed:
        await fetch(server.remote, "file.bin", patient(tries=2), sink)
    assert failed.value.transient


async def test_no_more_than_the_limit_is_read(server: Server, patient: MakePolicy) -> None:
    await server.store("file.bin", noise(MEGABYTE))
    sink = Kept()
    with pytest.raises(TransportFailed, match="larger than this service accepts") as failed:
        await fetch(server.remote, "file.bin", patient(limit=MEGABYTE - 1), sink)
    assert (failed.value.step, failed.value.transient) == ("read", False)
    assert sink.written < MEGABYTE
    await fetch(server.remote, "file.bin", patient(limit=MEGABYTE), sink)


async def test_a_pattern_finds_none_one_or_many_oldest_first(server: Server, patient: MakePolicy) -> None:
    if not server.patterns:
        pytest.skip("no lists")
    now = datetime.now(UTC).replace(microsecond=0)
    for number in range(1_000):
        age = timedelta(minutes=(number * 37) % 1_000)
        await server.store(f"in/stock-{number:04}.csv", b"x", now - age)
    await server.store("in/deeper/stock-0000.csv", b"x")
    await server.store("in/Größe [1].txt", b"1234", now)
    async with connect(server.remote, patient()) as transport:
        assert await transport.list("in/*.xml") == []
        (only,) = await transport.list("in/Gr*.txt")
        assert (only.size, only.path.rpartition("/")[2], only.modified) == (4, "Größe [1].txt", now)
        assert b"".join([piece async for piece in transport.read(only.path)]) == b"1234"
        many = await transport.list("in/stock-*.csv")
        assert len(many) == 1_000
        assert [entry.modified for entry in many] == sorted(entry.modified for entry in many if entry.modified)
        assert {len(await transport.list(f"in/stock-000{wild}.csv")) for wild in ("[0-9]", "?")} == {10}
        with pytest.raises(TransportFailed, match="last part"):
            await transport.list("*/stock.csv")


async def test_a_folder_that_does_not_exist_is_told_from_an_empty_one(server: Server, patient: MakePolicy) -> None:
    if not server.patterns or server.remote.scheme == "s3":
        pytest.skip("no lists, or no folders")
    await server.store("in/deeper/stock.csv", b"x")
    async with connect(server.remote, patient()) as transport:
        assert await transport.list("in/*") == []
        for pattern in ("no/such/folder/*", "in/deeper/stock.csv/*"):
            with pytest.raises(TransportFailed, match="The folder does not exist") as failed:
                await transport.list(pattern)
            assert (failed.value.step, failed.value.transient) == ("find", False)
        assert len(await transport.list("in/deeper/*")) == 1


@pytest.mark.usefixtures("writes")
async def test_a_file_is_moved_once_and_never_onto_another(server: Server, patient: MakePolicy) -> None:
    await server.store("in/größe a.csv", b"new")
    await server.store("done/other.csv", b"old")
    async with connect(server.remote, patient()) as transport:
        seen = await transport.stat("in/größe a.csv")
        with pytest.raises(TransportFailed, match="already a file with that name") as failed:
            await transport.move("in/größe a.csv", "done/other.csv", seen)
        assert (failed.value.step, failed.value.transient) == ("write", False)
        assert await transport.move("in/größe a.csv", "done/größe a.csv", seen)
        assert await server.names() == {"done/größe a.csv", "done/other.csv"}
        assert await server.stored("done/größe a.csv") == b"new"
        assert not await transport.move("in/größe a.csv", "done/größe a.csv", seen), "its answer was lost"
        with pytest.raises(TransportFailed, match="The file does not exist"):
            await transport.move("in/größe a.csv", "done/none.csv", seen)
        await server.store("in/größe a.csv", b"newer")
        for target in ("done/größe a.csv", "done/second.csv"):
            with pytest.raises(TransportFailed, match="changed"):
                await transport.move("in/größe a.csv", target, seen)
    assert await server.stored("in/größe a.csv") == b"newer"
    assert await server.stored("done/other.csv") == b"old"


@pytest.mark.usefixtures("writes")
async def test_a_move_says_what_is_in_its_way(server: Server, patient: MakePolicy) -> None:
    await server.store("in/a.csv", b"x")
    async with connect(server.remote, patient()) as transport:
        if server.remote.scheme != "s3":
            with pytest.raises(TransportFailed, match="The folder does not exist") as failed:
                await transport.move("in/a.csv", "no/such/a.csv")
            assert (failed.value.step, failed.value.transient) == ("write", False)
        server.permit("read")
        with pytest.raises(TransportFailed, match="does not allow this login to move the file") as failed:
            await transport.move("in/a.csv", "in/b.csv")
        assert (failed.value.step, failed.value.transient) == ("write", False)
    assert await server.names() == {"in/a.csv"}


@pytest.mark.usefixtures("writes")
async def test_a_file_that_was_dealt_with_is_moved_or_deleted_unless_it_has_changed(
    server: Server, patient: MakePolicy
) -> None:
    move, delete = parse_afterwards("move:done/"), parse_afterwards("delete")
    await server.store("done/stock.csv.gz", b"of yesterday")
    await server.store("free/.keep", b"")
    async with connect(server.remote, patient()) as transport:
        for number, (afterwards, outcome) in enumerate(((move, "moved"), (delete, "deleted"))):
            await server.store("in/stock.csv.gz", b"x" * (number + 1))
            seen = await transport.stat("in/stock.csv.gz")
            expected = Disposal(outcome, "done/stock-mark.csv.gz" if outcome == "moved" else None)
            assert await dispose_of(transport, seen, afterwards, "mark") == expected
            again = await dispose_of(transport, seen, afterwards, "mark")
            assert again == (expected if outcome == "moved" else Disposal("gone")), "its answer was lost"
            await server.store("in/stock.csv.gz", b"the next one")
            for each in (afterwards, parse_afterwards("move:free")):
                assert await dispose_of(transport, seen, each, "other") == Disposal("gone")
            assert await server.stored("in/stock.csv.gz") == b"the next one"
    assert await server.names() == {"in/stock.csv.gz", "done/stock.csv.gz", "done/stock-mark.csv.gz", "free/.keep"}
    assert await server.stored("done/stock.csv.gz") == b"of yesterday"


@pytest.mark.parametrize(
    "text", ["", "move", "move:", "move: ", "Keep", "move:/a/../b", "move:/a\nb", "move:" + "x" * 701]
)
def test_what_becomes_of_a_file_is_said_in_one_of_three_ways(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_afterwards(text)


@pytest.mark.usefixtures("writes")
async def test_what_was_put_can_be_read_and_deleted(server: Server, patient: MakePolicy) -> None:
    for size in (0, 5, 400_000, 9 * MEGABYTE):
        data = noise(size)
        async with connect(server.remote, patient()) as transport:
            assert await transport.put("größe a b.csv", pieces(data)) == size
            assert await read(server, patient(), "größe a b.csv") == data
            assert await server.names() == {"größe a b.csv"}
            await transport.delete("größe a b.csv")
            assert await server.names() == set()
            with pytest.raises(TransportFailed, match="file does not exist"):
                await transport.stat("größe a b.csv")


@pytest.mark.parametrize("before", [None, b"the old one"])
@pytest.mark.usefixtures("writes")
async def test_nobody_sees_half_of_a_file_that_is_put(
    server: Server, patient: MakePolicy, before: bytes | None
) -> None:
    if before is not None:
        await server.store("out.csv", before)
    seen: list[bytes | None] = []

    async def watched() -> AsyncIterator[bytes]:
        async for piece in pieces(noise(20 * MEGABYTE), 2 * MEGABYTE):
            yield piece
            seen.append(await server.stored("out.csv"))

    async with connect(server.remote, patient()) as transport:
        await transport.put("out.csv", watched())
    assert seen == [before] * 10
    assert await server.stored("out.csv") == noise(20 * MEGABYTE)
    assert await server.names() == {"out.csv"}


@pytest.mark.usefixtures("writes")
async def test_a_put_that_fails_leaves_what_was_there(server: Server, patient: MakePolicy) -> None:
    await server.store("out.csv", b"the old one")

    async def broken() -> AsyncIterator[bytes]:
        yield noise(9 * MEGABYTE)
        raise RuntimeError("the export failed")

    with pytest.raises(RuntimeError, match="the export failed"):
        async with connect(server.remote, patient()) as transport:
            await transport.put("out.csv", broken())
    assert await server.stored("out.csv") == b"the old one"
    assert await server.names() == {"out.csv"}


@pytest.mark.usefixtures("writes")
async def test_a_put_that_takes_too_long_leaves_what_was_there(server: Server, patient: MakePolicy) -> None:
    await server.store("out.csv", b"the old one")

    async def stalling() -> AsyncIterator[bytes]:
        yield noise(9 * MEGABYTE)
        await asyncio.Event().wait()

    with pytest.raises(TransportFailed, match="took too long") as failed:
        await send(server.remote, "out.csv", patient(total_seconds=1), stalling(), forget)
    assert failed.value.step == "write"
    assert await server.stored("out.csv") == b"the old one"
    assert await server.names() == {"out.csv"}


@pytest.mark.usefixtures("writes")
async def test_the_next_try_deletes_what_a_put_has_left(server: Server, patient: MakePolicy) -> None:
    remains: list[str] = []
    data = noise(9 * MEGABYTE)

    async def note(left: str) -> None:
        remains.append(left)

    async def broken() -> AsyncIterator[bytes]:
        yield data
        raise RuntimeError("the process was killed")

    remote = replace(server.remote, options=dict(server.remote.options) | {"root": "shop"})
    await server.store("shop/other.csv", b"x")
    server.permit("write")  # so that it cannot tidy up
    with pytest.raises(RuntimeError):
        await send(remote, "out.csv", patient(), broken(), note)
    assert len(await server.names()) == 2
    server.permit("write", "delete")
    assert await send(remote, "out.csv", patient(), pieces(data), note, remains=remains[0]) == len(data)
    assert await server.stored("shop/out.csv") == data
    assert await server.names() == {"shop/other.csv", "shop/out.csv"}


@pytest.mark.usefixtures("writes")
async def test_writing_and_reading_need_no_right_but_their_own(server: Server, patient: MakePolicy) -> None:
    for size in (5, 9 * MEGABYTE):
        server.permit("write")
        async with connect(server.remote, patient()) as transport:
            await transport.put("out.csv", pieces(noise(size)))
            with pytest.raises(TransportFailed, match="denied access"):
                [piece async for piece in transport.read("out.csv")]
            with pytest.raises(TransportFailed, match="does not allow this login to delete files"):
                await transport.delete("out.csv")
        server.permit("read")
        assert await read(server, patient(), "out.csv") == noise(size)
        async with connect(server.remote, patient()) as transport:
            with pytest.raises(TransportFailed, match="does not allow this login to write the file") as failed:
                await transport.put("out.csv", pieces(b"x" * size))
        assert (failed.value.step, failed.value.transient) == ("write", False)
        assert await server.stored("out.csv") == noise(size)


async def test_folders_are_not_made(server: Server, patient: MakePolicy) -> None:
    if not server.writes or server.remote.scheme == "s3":
        pytest.skip("takes no files, or has no folders")
    async with connect(server.remote, patient()) as transport:
        with pytest.raises(TransportFailed, match="The folder does not exist") as failed:
            await transport.put("no/such/out.csv", pieces(b"x"))
    assert (failed.value.step, failed.value.transient) == ("write", False)


@pytest.mark.usefixtures("writes")
async def test_a_name_may_be_as_long_as_a_file_system_allows(server: Server, patient: MakePolicy) -> None:
    name = "日" * 83 + ".csv"  # 253 bytes
    async with connect(server.remote, patient()) as transport:
        await transport.put(name, pieces(b"x"))
    assert await server.names() == {name}


async def test_a_protocol_that_cannot_write_says_so(server: Server, patient: MakePolicy) -> None:
    if server.writes:
        pytest.skip("takes files")
    async with connect(server.remote, patient()) as transport:
        with pytest.raises(TransportFailed) as failed:
            await transport.put("out.csv", pieces(b"x"))
        assert failed.value.step == "write"
        with pytest.raises(TransportFailed, match="cannot write, move or delete"):
            await transport.move("in.csv", "out.csv")
