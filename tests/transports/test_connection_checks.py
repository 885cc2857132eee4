"""A connection check reports the steps that were taken, and no others."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from app.connections.check import ConnectionCheck, check_export, check_import
from app.transports.guard import Guard
from app.transports.transport import Remote, TransferPolicy
from tests.transports.servers.server import LOCAL, Server, Wire

MakePolicy = Callable[..., TransferPolicy]


class LossyWire(Wire):
    """Stands before a server and ends a connection in place of its `at`-th answer. Later ones are whole."""

    def __init__(self, behind: int, at: int) -> None:
        super().__init__(behind)
        self.until = at

    async def _down(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await there.read(16_384):
            self.until -= 1
            if self.until == 0:
                return
            writer.write(piece)
            await writer.drain()


def outcomes(check: ConnectionCheck) -> list[tuple[str, bool]]:
    return [(step.name, step.error is None) for step in check.steps]


async def nowhere(host: str, port: int) -> list[str]:
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


def at(remote: Remote, host: str) -> Remote:
    """The remote under another name."""
    options = remote.options | {"endpoint": f"https://{host}"} if remote.scheme == "s3" else remote.options
    return replace(remote, host="" if remote.scheme == "s3" else host, options=options)


async def test_a_closed_port_fails_the_connect_step(server: Server, patient: MakePolicy, unused_tcp_port: int) -> None:
    remote = server.at(unused_tcp_port)
    assert outcomes(await check_import(remote, "a.csv", patient())) == [("connect", False)]
    expected = [("connect", False)] if server.writes else [("write", False)]
    assert outcomes(await check_export(remote, "", patient())) == expected


async def test_an_untrusted_certificate_fails_the_connect_step(server: Server, patient: MakePolicy) -> None:
    strangers = patient(tls=ssl.create_default_context())
    if server.secure:
        assert outcomes(await check_import(server.remote, "a.csv", strangers)) == [("connect", False)]


async def test_an_unknown_name_fails_the_resolve_step(server: Server, patient: MakePolicy) -> None:
    lost = patient(guard=Guard(LOCAL.allowed, nowhere))
    check = await check_import(at(server.remote, "nowhere.example.com"), "a.csv", lost)
    assert outcomes(check) == [("resolve", False)]


async def test_a_rejected_login_follows_a_successful_connect(server: Server, patient: MakePolicy) -> None:
    check = await check_import(server.unwelcome(), "a.csv", patient())
    assert outcomes(check) == [("connect", True), ("authenticate", False)]


async def test_an_invalid_path_fails_before_anything_is_dialled(
    server: Server, patient: MakePolicy, unused_tcp_port: int
) -> None:
    for path in ("a\nb", "a*/b.csv"):
        check = await check_import(server.at(unused_tcp_port), path, patient())
        assert outcomes(check) == [("address", False)]


async def test_a_pattern_that_matches_nothing_fails_the_find_step(server: Server, patient: MakePolicy) -> None:
    if server.patterns:
        await server.store("in/a.csv", b"x")
        absent = "No file matches the pattern" if server.remote.scheme == "s3" else "The folder does not exist"
        for pattern, error in (("in/*.txt", "No file matches the pattern"), ("not/there/*.csv", absent)):
            check = await check_import(server.remote, pattern, patient())
            assert outcomes(check) == [("connect", True), ("find", False)]
            assert check.steps[-1].error == error


@pytest.mark.usefixtures("writes")
async def test_a_login_that_may_only_read_passes_the_import_and_fails_the_export(
    server: Server, patient: MakePolicy
) -> None:
    await server.store("in/a.csv", b"x")
    await server.store("b.csv", b"x")
    server.permit("read")
    for path in ("in/a.csv", "in/*.csv", ""):
        check = await check_import(server.remote, path, patient())
        assert outcomes(check) == [("connect", True), ("find", True), ("read", True)]
    check = await check_export(server.remote, "in", patient())
    assert outcomes(check) == [("connect", True), ("write", False)]
    assert check.steps[-1].error == "The server does not allow this login to write the file"
    assert await server.names() == {"in/a.csv", "b.csv"}


@pytest.mark.usefixtures("writes")
async def test_a_login_that_may_only_write_passes_the_export_and_fails_the_import(
    server: Server, patient: MakePolicy
) -> None:
    await server.store("out/a.csv", b"x")
    server.permit("write", "delete")
    check = await check_export(server.remote, "out", patient())
    assert outcomes(check) == [("connect", True), ("write", True), ("delete", True)]
    assert await server.names() == {"out/a.csv"}
    for path in ("out/a.csv", "out/*.csv", ""):
        check = await check_import(server.remote, path, patient())
        assert not check.ok, path
        assert check.steps[-1].error == "The server denied access"


@pytest.mark.usefixtures("writes")
async def test_a_test_file_that_may_not_be_deleted_is_named_and_written_over(
    server: Server, patient: MakePolicy
) -> None:
    await server.store("out/a.csv", b"x")
    server.permit("write")
    for _ in range(2):
        check = await check_export(server.remote, "out", patient())
        assert outcomes(check) == [("connect", True), ("write", True), ("delete", True)]
        assert check.steps[-1].detail == (
            "The test file `out/sluice-test.txt` was left there. The server does not allow this login to delete files"
        )
        assert await server.names() == {"out/a.csv", "out/sluice-test.txt"}
    server.permit("write", "delete")
    assert (await check_export(server.remote, "out", patient())).steps[-1].detail == ""
    assert await server.names() == {"out/a.csv"}


async def test_an_empty_folder_passes_the_import_if_it_may_be_read(server: Server, patient: MakePolicy) -> None:
    if not server.patterns:
        pytest.skip("no lists")
    check = await check_import(server.remote, "", patient())
    assert outcomes(check) == [("connect", True), ("find", True), ("read", True)]
    assert check.steps[-1].detail == "nothing yet: there is no file"


@pytest.mark.usefixtures("writes")
async def test_an_export_check_that_breaks_off_leaves_nothing(server: Server, patient: MakePolicy) -> None:
    """One answer after the other is lost."""
    port = server.remote.port
    assert port
    for at in count(1):
        async with LossyWire(port, at).running() as wire:
            check = await check_export(server.at(wire.port), "", patient())
        assert await server.names() == set(), (at, check)
        if wire.until > 0:
            assert check.ok
            assert at > 3
            break
