"""A connection check reports the steps that were taken, and no others."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import replace

from app.connections.check import ConnectionCheck, check_export, check_import
from app.transports.guard import Guard
from app.transports.transport import Remote, TransferPolicy
from tests.transports.servers.server import LOCAL, Server

MakePolicy = Callable[..., TransferPolicy]


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
        check = await check_import(server.remote, "not/there/*.csv", patient())
        assert outcomes(check) == [("connect", True), ("find", False)]
        assert check.steps[-1].error == "No file matches the pattern"
