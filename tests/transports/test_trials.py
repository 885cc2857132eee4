"""A trial tells the steps that were taken, and none that was not."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import replace

from app.connections.trial import Trial, try_export, try_import
from app.transports.guard import Guard
from app.transports.transport import Remote, Terms
from tests.transports.servers.server import LOCAL, Server

MakeTerms = Callable[..., Terms]


def told(trial: Trial) -> list[tuple[str, bool]]:
    return [(step.name, step.why is None) for step in trial.steps]


async def nowhere(host: str, port: int) -> list[str]:
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


def at(remote: Remote, host: str) -> Remote:
    """The place at another name."""
    options = remote.options | {"endpoint": f"https://{host}"} if remote.scheme == "s3" else remote.options
    return replace(remote, host="" if remote.scheme == "s3" else host, options=options)


async def test_where_nobody_listens_no_connection_is_told(
    server: Server, patient: MakeTerms, unused_tcp_port: int
) -> None:
    remote = server.at(unused_tcp_port)
    assert told(await try_import(remote, "a.csv", patient())) == [("connect", False)]
    expected = [("connect", False)] if server.writes else [("write", False)]
    assert told(await try_export(remote, "", patient())) == expected


async def test_a_certificate_that_is_not_trusted_is_no_connection(server: Server, patient: MakeTerms) -> None:
    strangers = patient(tls=ssl.create_default_context())
    if server.secure:
        assert told(await try_import(server.remote, "a.csv", strangers)) == [("connect", False)]


async def test_an_unknown_name_is_no_connection(server: Server, patient: MakeTerms) -> None:
    lost = patient(guard=Guard(LOCAL.allowed, nowhere))
    trial = await try_import(at(server.remote, "nowhere.example.com"), "a.csv", lost)
    assert told(trial) == [("resolve", False)]


async def test_who_is_not_let_in_was_connected(server: Server, patient: MakeTerms) -> None:
    trial = await try_import(server.unwelcome(), "a.csv", patient())
    assert told(trial) == [("connect", True), ("authenticate", False)]


async def test_a_path_that_cannot_be_asked_for_is_told_before_anything_is_dialled(
    server: Server, patient: MakeTerms, unused_tcp_port: int
) -> None:
    for path in ("a\nb", "a*/b.csv"):
        trial = await try_import(server.at(unused_tcp_port), path, patient())
        assert told(trial) == [("address", False)]


async def test_a_pattern_that_fits_nothing_is_not_found(server: Server, patient: MakeTerms) -> None:
    if server.patterns:
        trial = await try_import(server.remote, "not/there/*.csv", patient())
        assert told(trial) == [("connect", True), ("find", False)]
        assert trial.steps[-1].why == "No file matches the pattern"
