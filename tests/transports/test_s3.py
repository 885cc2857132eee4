"""S3 beyond what every transport promises: versions, parts, folders and services that are hostile or in trouble."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from pydantic import SecretStr

from app.transports import connect
from app.transports.failed import TransportFailed
from app.transports.s3.client import LONGEST_ANSWER
from app.transports.s3.files import PART
from app.transports.transport import Remote, TransferPolicy
from tests.transports.servers.http import HttpServer
from tests.transports.servers.s3 import BUCKET, S3Server, s3_server
from tests.transports.servers.server import Certificates
from tests.transports.test_conformance import MEGABYTE, noise, pieces

MakePolicy = Callable[..., TransferPolicy]


@pytest.fixture(scope="module")
async def running(certificates: Certificates) -> AsyncIterator[S3Server]:
    async with s3_server(certificates) as running:
        yield running


@pytest.fixture
async def s3(running: S3Server) -> S3Server:
    await running.clear()
    return running


def hostile(web: HttpServer) -> Remote:
    """A web server that is taken for S3."""
    web.web.login = False
    keys = {"access_key": SecretStr("x"), "secret_key": SecretStr("x")}
    return Remote("s3", "", options={"bucket": "files", "endpoint": f"https://127.0.0.1:{web.wire.port}", **keys})


async def test_all_parts_are_of_one_version(s3: S3Server, patient: MakePolicy) -> None:
    await s3.store("a.bin", noise(2 * PART))
    async with connect(s3.remote, patient()) as transport:
        reading = transport.read("a.bin")
        await anext(reading)
        await s3.store("a.bin", noise(2 * PART, 2))
        with pytest.raises(TransportFailed, match="changed"):
            async for _ in reading:
                pass


async def test_reading_reports_that_the_file_has_changed(s3: S3Server, patient: MakePolicy) -> None:
    await s3.store("a.bin", noise(1_000))
    async with connect(s3.remote, patient()) as transport:
        before = await transport.stat("a.bin")
        await s3.store("a.bin", noise(1_000, 2))
        with pytest.raises(TransportFailed, match="changed"):
            [piece async for piece in transport.read("a.bin", offset=500, expected=before)]


async def test_a_root_is_where_paths_begin(s3: S3Server, patient: MakePolicy) -> None:
    await s3.store("shop/in/a.csv", b"1")
    await s3.store("shopping/in/a.csv", b"2")
    remote = replace(s3.remote, options={**s3.remote.options, "root": "/shop/"})
    async with connect(remote, patient()) as transport:
        (only,) = await transport.list("in/*")
        assert only.path == "in/a.csv"
        assert (await transport.stat(only.path)).size == 1
        await transport.put("out/b.csv", pieces(b"3"))
    assert await s3.stored("shop/out/b.csv") == b"3"


@pytest.mark.parametrize(
    ("key", "kind"),
    [("a.CSV", "text/csv"), ("a.jsonl", "application/jsonl"), ("a.csv.gz", "application/gzip"),
     ("a", "application/octet-stream")],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, PART + 1])
async def test_a_file_has_the_content_type_of_its_name(
    s3: S3Server, patient: MakePolicy, key: str, kind: str, size: int
) -> None:
    async with connect(s3.remote, patient()) as transport:
        await transport.put(key, pieces(noise(size)))
    assert s3.backend.buckets[BUCKET].keys[key].metadata["Content-Type"] == kind


async def test_a_folder_marker_is_not_a_file(s3: S3Server, patient: MakePolicy) -> None:
    await s3.store("in/", b"")
    await s3.store("in/a.csv", b"1")
    async with connect(s3.remote, patient()) as transport:
        assert [entry.path for entry in await transport.list("in/*")] == ["in/a.csv"]


async def test_an_upload_that_is_cancelled_leaves_no_parts(s3: S3Server, patient: MakePolicy) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield noise(2 * PART)
        begun.set()
        await asyncio.Event().wait()

    async def putting() -> None:
        async with connect(s3.remote, patient()) as transport:
            await transport.put("a.bin", endless())

    task = asyncio.create_task(putting())
    await begun.wait()
    assert s3.backend.buckets[BUCKET].multiparts
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not s3.backend.buckets[BUCKET].multiparts
    assert await s3.names() == set()


async def test_a_part_that_broke_off_is_sent_again(s3: S3Server, patient: MakePolicy) -> None:
    sent = 0

    async def breaking() -> AsyncIterator[bytes]:
        nonlocal sent
        for number in range(3):
            if number == 1:
                s3.cut_after(0)
            yield noise(PART, number)
            sent += 1

    async with connect(s3.remote, patient()) as transport:
        await transport.put("a.bin", breaking())
    assert await s3.stored("a.bin") == noise(PART, 0) + noise(PART, 1) + noise(PART, 2)
    assert sent == 3


async def test_a_missing_bucket_is_reported_as_missing(s3: S3Server, patient: MakePolicy) -> None:
    remote = replace(s3.remote, options={**s3.remote.options, "bucket": "no-such-bucket"})
    async with connect(remote, patient()) as transport:
        with pytest.raises(TransportFailed, match="bucket does not exist"):
            await transport.stat("a.csv")
        with pytest.raises(TransportFailed, match="bucket does not exist"):
            await transport.list("*")
        with pytest.raises(TransportFailed, match="bucket does not exist"):
            await transport.put("a.csv", pieces(b"x"))


@pytest.mark.parametrize("bucket", ["", "a", "a/b", "../b", "a b", "arn:aws:s3:::x", "x" * 64, "a?b"])
async def test_an_invalid_bucket_name_is_refused(s3: S3Server, patient: MakePolicy, bucket: str) -> None:
    remote = replace(s3.remote, options={**s3.remote.options, "bucket": bucket})
    with pytest.raises(TransportFailed) as failed:
        async with connect(remote, patient()):
            pass
    assert failed.value.step == "address"


async def test_an_endless_list_is_not_read_to_its_end(web: HttpServer, patient: MakePolicy) -> None:
    await web.store("files?list-type=2&prefix=&delimiter=/&encoding-type=url", b" " * (LONGEST_ANSWER + MEGABYTE))
    async with connect(hostile(web), patient()) as transport:
        with pytest.raises(TransportFailed, match="could not be understood"):
            await transport.list("*")


@pytest.mark.parametrize("answer", [b"\x00\xff", b"<a>" * 10_000, b"<!DOCTYPE html><br>"])
async def test_an_answer_that_is_not_s3_is_reported_as_such(
    web: HttpServer, patient: MakePolicy, answer: bytes
) -> None:
    await web.store("files?list-type=2&prefix=&delimiter=/&encoding-type=url", answer)
    async with connect(hostile(web), patient()) as transport:
        with pytest.raises(TransportFailed) as failed:
            await transport.list("*")
    assert failed.value.step == "find"


@pytest.mark.parametrize(
    ("status", "step", "passing"),
    [(400, "find", False), (403, "find", False), (404, "find", False), (429, "find", True), (500, "find", True),
     (503, "find", True), (302, "find", False)],
)  # fmt: skip
async def test_every_status_has_its_reason(
    web: HttpServer, patient: MakePolicy, status: int, step: str, passing: bool
) -> None:
    remote = hostile(web)
    web.web.failing = [status] * 2
    async with connect(remote, patient()) as transport:
        with pytest.raises(TransportFailed) as failed:
            await transport.stat("a.csv")
    assert (failed.value.step, failed.value.transient) == (step, passing)


async def test_a_server_without_ranges_serves_whole_files_only(web: HttpServer, patient: MakePolicy) -> None:
    await web.store("files/a.bin", noise(400_000))
    web.web.quirks = {"no_range"}
    async with connect(hostile(web), patient()) as transport:
        assert b"".join([piece async for piece in transport.read("a.bin")]) == noise(400_000)
        with pytest.raises(TransportFailed, match="could not be understood"):
            [piece async for piece in transport.read("a.bin", offset=5)]
