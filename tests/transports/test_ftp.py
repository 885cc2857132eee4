"""What is special to FTP: two connections, three ways of encryption, old servers, and servers that lie."""

import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from app.transports import connect
from app.transports.failed import TransportFailed
from app.transports.guard import Guard
from app.transports.transport import FileInfo, Remote, TransferPolicy
from tests.transports.servers.ftp import FtpServer, Script, ftp_server
from tests.transports.servers.server import PASSWORD, USER, Certificates
from tests.transports.servers.sockets import listener, silence

MakePolicy = Callable[..., TransferPolicy]
FACTS = {"MLSD", "MLST"}
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
async def ftp(running_ftp: FtpServer) -> FtpServer:
    """A plain server, empty and whole."""
    await running_ftp.clear()
    return running_ftp


@asynccontextmanager
async def scripted(certificates: Certificates | None = None, **given: object) -> AsyncIterator[tuple[Script, Remote]]:
    """A hand-made server and the place where it is."""
    tls = certificates.server() if certificates else None
    async with Script(**{"files": {}, "tls": tls, **given}).running() as script:
        yield script, Remote("ftps" if tls else "ftp", "127.0.0.1", script.port, "user", SecretStr("secret"))


async def read(
    remote: Remote, policy: TransferPolicy, path: str, offset: int = 0, expected: FileInfo | None = None
) -> bytes:
    async with connect(remote, policy) as transport:
        return b"".join([piece async for piece in transport.read(path, offset=offset, expected=expected)])


async def once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def reason(remote: Remote, policy: TransferPolicy, path: str = "a.csv") -> str:
    with pytest.raises(TransportFailed) as failed:
        await read(remote, policy, path)
    return failed.value.reason


async def test_the_address_in_a_pasv_answer_is_never_called(patient: MakePolicy) -> None:
    called = 0

    async def count(*_: object) -> None:
        nonlocal called
        called += 1

    async with listener(count, "127.0.0.2") as port:
        lie = f"227 Entering Passive Mode (127,0,0,2,{port // 256},{port % 256})."
        async with scripted(answers={"SIZE": "213 4", "EPSV": "500 what?", "PASV": lie}) as (script, remote):
            assert await reason(remote, patient()) == "unreachable"  # nobody listens there at the server's own address
    assert "PASV" in script.asked
    assert called == 0


async def test_the_port_of_a_pasv_answer_is_called_at_the_servers_own_address(patient: MakePolicy) -> None:
    answers = {"SIZE": "213 4", "EPSV": "522 not here"}
    async with scripted(files={"RETR a.csv": b"good"}, answers=answers) as (script, remote):
        assert await read(remote, patient(), "a.csv") == b"good"  # the answer says 10.9.8.7
    assert script.data_connections == 1


@pytest.mark.parametrize(
    "said",
    [
        "530 Non-anonymous sessions must use encryption.",
        "550 SSL/TLS required",
        "421 Sorry, cleartext sessions are not ok",
    ],
)
async def test_a_server_that_requires_tls_is_distinguished_from_a_wrong_password(
    patient: MakePolicy, said: str
) -> None:
    async with scripted(answers={"USER": said}) as (_, remote):
        assert await reason(remote, patient(tries=1)) == "unencrypted"
    async with scripted(answers={"USER": "530 no"}) as (_, remote):
        assert await reason(remote, patient(tries=1)) == "login"


@pytest.mark.parametrize("port", [0, 22, 1_023, 65_536])
async def test_a_data_port_below_those_of_users_is_not_called(patient: MakePolicy, port: int) -> None:
    async with scripted(answers={"SIZE": "213 4", "EPSV": f"229 here (|||{port}|)"}) as (_, remote):
        assert await reason(remote, patient()) == "odd_answer"


async def test_a_server_in_an_inner_network_is_not_called(ftp: FtpServer, patient: MakePolicy) -> None:
    assert await reason(ftp.remote, patient(guard=Guard())) == "refused"
    assert ftp.faults.asked == []


async def test_epsv_is_preferred_and_types_are_binary(ftp: FtpServer, patient: MakePolicy) -> None:
    await ftp.store("a.csv", b"1\n2\r\n")
    assert await read(ftp.remote, patient(), "a.csv") == b"1\n2\r\n"
    assert "PASV" not in ftp.faults.asked
    assert "TYPE I" in ftp.faults.asked
    ftp.faults.unknown.add("EPSV")
    assert await read(ftp.remote, patient(), "a.csv") == b"1\n2\r\n"
    assert "PASV" in ftp.faults.asked


@pytest.mark.parametrize("unknown", [FACTS, FACTS | {"FEAT"}, FACTS | {"MDTM"}, FACTS | {"SIZE", "MDTM", "FEAT"}])
async def test_old_servers_list_too(ftp: FtpServer, patient: MakePolicy, unknown: set[str]) -> None:
    ftp.faults.unknown.update(unknown)
    await ftp.store("in/new.csv", b"123", NOON)
    await ftp.store("in/ä old.csv", b"1", NOON - timedelta(days=1))
    await ftp.store("in/deeper/x.csv", b"1")
    (ftp.folder / "in/linked.csv").symlink_to(ftp.folder / "in/new.csv")
    async with connect(ftp.remote, patient()) as transport:
        found = await transport.list("in/*.csv")
        assert [(entry.path, entry.modified) for entry in found if "linked" not in entry.path] == [
            ("in/ä old.csv", NOON - timedelta(days=1)),
            ("in/new.csv", NOON),
        ]
        assert await transport.stat("in/new.csv") == FileInfo(
            "in/new.csv", 3, None if unknown == FACTS | {"MDTM"} else NOON
        )
        with pytest.raises(TransportFailed, match="The folder does not exist"):
            await transport.list("none/*")
        for missing in ("in/none.csv", "in/deeper"):
            with pytest.raises(TransportFailed, match="file does not exist"):
                await transport.stat(missing)
        for entry in found:
            if entry.path != "in/ä old.csv":
                assert b"".join([piece async for piece in transport.read(entry.path, expected=entry)]) == b"123"
    assert not FACTS & {line.split()[0] for line in ftp.faults.asked}


async def test_a_strict_listing_of_which_any_line_is_not_understood_is_called_so(patient: MakePolicy) -> None:
    cut = "-rw-r--r--   1 root root 7 Nov"
    listing = f"total 2\r\n-rw-r--r-- 1 root root 4096 Nov 20  2026 a.csv\r\n{cut}".encode()
    files = {"LIST in/": listing, "LIST odd/": b"-rw-r--r-- 1 root root 4096 Nov 20  2026 \xff.csv\r\n"}
    script = Script(files, {"SIZE": "213 4096"})
    async with script.running(), connect(Remote("ftp", "127.0.0.1", script.port), patient()) as transport:
        assert [each.path for each in await transport.list("in/*.csv")] == ["in/a.csv"]
        with pytest.raises(TransportFailed, match=f'The server\'s listing is not understood: "{cut}"'):
            await transport.list("in/*.csv", strict=True)
        assert await transport.list("odd/*.csv") == []
        with pytest.raises(TransportFailed, match="Rename it"):
            await transport.list("odd/*.csv", strict=True)


@pytest.mark.parametrize(("there", "refused"), [(True, False), (True, True), (False, False), (False, True)])
async def test_a_strict_listing_knows_an_empty_folder_whatever_the_server_answers(
    patient: MakePolicy, there: bool, refused: bool
) -> None:
    answers = {"PWD": '257 "/home" is here', "CWD": "250 yes" if there else "550 no"}
    if refused:
        answers["LIST"] = "550 nothing there"
    script = Script({}, answers)
    async with script.running(), connect(Remote("ftp", "127.0.0.1", script.port), patient()) as transport:
        if there:
            assert await transport.list("in/*", strict=True) == []
            assert [line for line in script.asked if line.startswith("CWD")] == ["CWD in/", "CWD /home"]
        else:
            with pytest.raises(TransportFailed, match="The folder does not exist"):
                await transport.list("in/*", strict=True)


async def test_a_server_that_cannot_restart_is_read_from_the_beginning(ftp: FtpServer, patient: MakePolicy) -> None:
    ftp.faults.unknown.add("REST")
    data = bytes(range(256)) * 4_000
    await ftp.store("a.bin", data)
    assert await read(ftp.remote, patient(), "a.bin", offset=600_001) == data[600_001:]


@pytest.mark.parametrize(("size", "reason"), [(9, "cut"), (2, "wrong_length")])
async def test_a_transfer_that_the_server_calls_complete_is_checked_for_its_size(
    patient: MakePolicy, size: int, reason: str
) -> None:
    async with scripted(files={"RETR a.csv": b"only"}, answers={"SIZE": f"213 {size}"}) as (_, remote):
        with pytest.raises(TransportFailed) as failed:
            await read(remote, patient(), "a.csv")
    assert failed.value.reason == reason
    assert failed.value.transient


async def test_a_file_that_is_replaced_while_it_is_read_has_changed(ftp: FtpServer, patient: MakePolicy) -> None:
    await ftp.store("a.bin", bytes(3_000_000), NOON)
    async with connect(ftp.remote, patient()) as transport:
        pieces = transport.read("a.bin")
        assert await anext(pieces)
        await ftp.store("a.bin", b"x" * 3_000_000)
        with pytest.raises(TransportFailed, match="changed while it was being read"):
            assert [piece async for piece in pieces]


async def test_a_lost_control_connection_is_reported_as_lost(ftp: FtpServer, patient: MakePolicy) -> None:
    await ftp.store("a.bin", bytes(3_000_000))
    ftp.faults.left, ftp.faults.fault = 1_000_000, "drop"
    assert await reason(ftp.remote, patient(), "a.bin") == "cut"


async def test_a_slow_server_is_waited_for_as_long_as_it_says_something(ftp: FtpServer, patient: MakePolicy) -> None:
    await ftp.store("a.bin", bytes(10_000))
    ftp.faults.drip = 500, 0.05
    started = time.monotonic()
    assert await read(ftp.remote, patient(idle_seconds=0.5), "a.bin") == bytes(10_000)
    assert time.monotonic() - started > 0.5


async def test_a_reader_that_stops_early_ends_the_session(ftp: FtpServer, patient: MakePolicy) -> None:
    await ftp.store("a.bin", bytes(3_000_000))
    async with connect(ftp.remote, patient()) as transport:
        pieces = transport.read("a.bin")
        assert await anext(pieces)
        await pieces.aclose()
        with pytest.raises(TransportFailed) as failed:
            await transport.stat("a.bin")
    assert failed.value.transient


async def test_a_server_that_does_not_overwrite_files_never_loses_the_old_one(
    ftp: FtpServer, patient: MakePolicy
) -> None:
    ftp.faults.keeps = True
    await ftp.store("out.csv", b"old")
    async with connect(ftp.remote, patient()) as transport:
        await transport.put("out.csv", once(b"new"))
        assert await ftp.stored("out.csv") == b"new"
        ftp.faults.broken_rename = 3  # onto the old one, the old one aside, into its place
        with pytest.raises(TransportFailed, match="did not accept"):
            await transport.put("out.csv", once(b"newer"))
    assert await ftp.stored("out.csv") == b"new"
    assert await ftp.names() == {"out.csv"}


async def test_a_file_that_a_killed_put_moved_aside_is_put_back(ftp: FtpServer, patient: MakePolicy) -> None:
    ftp.faults.keeps = True
    for now in (None, b"new"):
        await ftp.store(".x.part", b"half")
        await ftp.store(".x.part.old", b"old")
        if now:
            await ftp.store("out.csv", now)
        async with connect(ftp.remote, patient()) as transport:
            await transport.discard("out.csv", ".x.part")
        assert await ftp.stored("out.csv") == (now or b"old")
        assert await ftp.names() == {"out.csv"}


async def test_relative_paths_start_from_the_root_that_is_given(ftp: FtpServer, patient: MakePolicy) -> None:
    await ftp.store("partner/in/a.csv", b"x")
    remote = replace(ftp.remote, options={"root": "/partner/"})
    async with connect(remote, patient()) as transport:
        (entry,) = await transport.list("in/*")
        assert entry.path == "in/a.csv"
        assert (await transport.stat("in/a.csv")).size == 1
        assert (await transport.stat("/partner/in/a.csv")).size == 1
        await transport.put("b.csv", once(b"y"))
        assert [entry.path for entry in await transport.list("*.csv")] == ["b.csv"]
    assert await ftp.stored("partner/b.csv") == b"y"


@pytest.mark.parametrize(("user", "password"), [("a\r\nDELE x", "b"), ("a", "b\nDELE x"), ("a", "b\x00")])
async def test_credentials_cannot_contain_commands(
    ftp: FtpServer, patient: MakePolicy, user: str, password: str
) -> None:
    remote = replace(ftp.remote, user=user, password=SecretStr(password))
    assert await reason(remote, patient()) == "login"
    assert ftp.faults.asked == ["QUIT"]


async def test_names_that_would_be_commands_are_not_listed(patient: MakePolicy) -> None:
    lines = (
        b"type=file;size=1; good.csv\r\ntype=file;size=1; ../up.csv\r\ntype=file;size=1; b\xffd.csv\r\n\r\nrubbish\r\n"
    )
    lines += "type=file;size=1; od\x07d.csv\r\nType=File;Size=2; größe.csv\r\ntype=dir; folder\r\n".encode()
    answers = {"FEAT": "211-I can\r\n MLST type*;size*;\r\n UTF8\r\n211 end", "OPTS": "200 yes"}
    async with (
        scripted(files={"MLSD in/": lines}, answers=answers) as (_, remote),
        connect(remote, patient()) as transport,
    ):
        assert await transport.list("in/*") == [FileInfo("in/good.csv", 1), FileInfo("in/größe.csv", 2)]


async def test_an_answer_without_end_is_not_read_to_the_end(patient: MakePolicy) -> None:
    endless = "211-I can\r\n" + " MUCH\r\n" * 100_000
    async with scripted(answers={"FEAT": endless}) as (_, remote):
        assert await reason(remote, patient()) == "odd_answer"


async def test_an_answer_in_another_alphabet_is_understood(patient: MakePolicy) -> None:
    async with scripted(answers={"SIZE": "550 f\xfcr Sie nicht da".encode("latin-1")}) as (_, remote):
        assert await reason(remote, patient()) == "missing"


@pytest.mark.parametrize(
    ("answer", "reason_", "passing"),
    [
        ("550 /a.csv: Permission denied", "forbidden", False),
        ("550 /denied/a.csv: No such file", "missing", False),
        ("421 Too many of you", "busy", True),
        ("213 many", "odd_answer", False),
        ("213 -1", "odd_size", False),
        ("213 4294967295", "odd_size", False),
        ("213 18446744073709551615", "odd_size", False),
        ("nonsense", "idle", True),
    ],
)
async def test_what_answers_mean(patient: MakePolicy, answer: str, reason_: str, passing: bool) -> None:
    async with scripted(answers={"SIZE": answer}) as (_, remote):
        with pytest.raises(TransportFailed) as failed:
            await read(remote, patient(idle_seconds=0.3), "a.csv")
    assert (failed.value.reason, failed.value.transient) == (reason_, passing)


@pytest.mark.parametrize("options", [{}, {"tls": "explicit"}, {"tls": "implicit"}])
async def test_a_server_that_sends_no_greeting_is_given_up(patient: MakePolicy, options: dict[str, str]) -> None:
    async with listener(silence) as port:
        remote = Remote("ftps" if options else "ftp", "127.0.0.1", port, options=options)
        assert await reason(remote, patient(idle_seconds=0.3, connect_seconds=0.3)) == "no_answer"


@pytest.mark.parametrize("tls", ["explicit", "implicit"])
async def test_data_travels_encrypted_over_resumed_sessions(
    certificates: Certificates, patient: MakePolicy, tls: str
) -> None:
    async with ftp_server(tls, certificates) as server:  # it refuses data in clear
        await server.store("a.csv", b"x")
        assert await read(server.remote, patient(), "a.csv") == b"x"
        assert server.faults.reused == [True]
        assert server.faults.asked[: 3 if tls == "explicit" else 2][-2:] == ["PBSZ 0", "PROT P"]


@pytest.mark.parametrize("tls", ["explicit", "implicit"])
async def test_a_server_with_an_untrusted_certificate_learns_no_user_name(patient: MakePolicy, tls: str) -> None:
    async with ftp_server(tls, Certificates()) as server:
        assert await reason(server.remote, patient()) == "certificate"
        assert not {"USER", "PASS"} & {line.split()[0] for line in server.faults.asked}


async def test_a_certificate_for_another_name_is_not_trusted(certificates: Certificates, patient: MakePolicy) -> None:
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificates.authority.issue_cert("files.example.com").configure_cert(other)
    async with scripted(certificates) as (script, remote):
        script.tls = other
        assert await reason(remote, patient()) == "certificate"
        assert script.asked == ["AUTH TLS"]


@pytest.mark.parametrize("tls", ["explicit", "implicit"])
async def test_a_server_without_tls_learns_no_user_name(ftp: FtpServer, patient: MakePolicy, tls: str) -> None:
    remote = replace(ftp.remote, scheme="ftps", options={"tls": tls})
    assert await reason(remote, patient(connect_seconds=1)) == "no_tls"
    assert not {"USER", "PASS"} & {line.split()[0] for line in ftp.faults.asked if line}


async def test_data_in_clear_is_not_accepted_under_tls(certificates: Certificates, patient: MakePolicy) -> None:
    async with scripted(certificates, answers={"PROT": "536 not here"}) as (script, remote):
        assert await reason(remote, patient()) == "no_tls"
        assert "USER user" not in script.asked


async def test_answers_injected_before_tls_are_refused(certificates: Certificates, patient: MakePolicy) -> None:
    async with scripted(certificates, injected=b"200 yes\r\n200 yes\r\n230 in\r\n") as (script, remote):
        assert await reason(remote, patient()) == "no_tls"
        assert script.asked == ["AUTH TLS"]


async def test_tls_on_data_begins_after_the_command(certificates: Certificates, patient: MakePolicy) -> None:
    async with scripted(certificates, files={"RETR a.csv": b"good"}, answers={"SIZE": "213 4"}) as (script, remote):
        assert await read(remote, patient(), "a.csv") == b"good"
        assert script.resumed == [True]


async def test_an_unknown_kind_of_tls_is_refused(patient: MakePolicy) -> None:
    assert await reason(Remote("ftps", "127.0.0.1", 21, options={"tls": "maybe"}), patient()) == "bad_option"


async def test_no_password_is_logged(ftp: FtpServer, patient: MakePolicy, caplog: pytest.LogCaptureFixture) -> None:
    await ftp.store("a.csv", b"x")
    with caplog.at_level(logging.DEBUG):
        await read(ftp.remote, patient(), "a.csv")
        assert await reason(ftp.unwelcome(), patient()) == "login"
    assert USER in caplog.text
    assert PASSWORD not in caplog.text
    assert "wrong" not in caplog.text
