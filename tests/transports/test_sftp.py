"""What is special to SFTP: host keys, private keys, and blocks that are requested ahead."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import asyncssh
import pytest
from pydantic import SecretStr

from app.transports import connect
from app.transports.failed import TransportFailed
from app.transports.guard import Guard
from app.transports.options import TRUST_FIRST
from app.transports.send import send
from app.transports.transport import FileInfo, Option, Remote, TransferPolicy, forget
from tests.transports.servers.server import PASSWORD, USER
from tests.transports.servers.sftp import Keys, SftpServer, sftp_server
from tests.transports.servers.sockets import listener, silence

MakePolicy = Callable[..., TransferPolicy]


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[SftpServer]:
    keys = Keys(hosts=[asyncssh.generate_private_key(kind) for kind in ("ssh-ed25519", "ssh-rsa")])
    async with sftp_server(keys) as server:
        yield server


@pytest.fixture
async def sftp(running: SftpServer) -> SftpServer:
    """A server with two host keys, with one file and no faults."""
    await running.clear()
    await running.store("a.csv", b"good")
    return running


def line(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode().strip()


def pem(key: asyncssh.SSHKey, **how: object) -> SecretStr:
    return SecretStr(key.export_private_key(**how).decode())


def by_key(server: SftpServer, key: SecretStr, passphrase: str | None = None) -> Remote:
    """The server without its password, with a private key."""
    options: dict[str, Option] = {**server.remote.options, "private_key": key}
    if passphrase is not None:
        options["passphrase"] = SecretStr(passphrase)
    return replace(server.remote, password=None, options=options)


def trusting(server: SftpServer, host_key: str) -> Remote:
    return replace(server.remote, options={"host_key": host_key})


async def read(remote: Remote, policy: TransferPolicy, path: str = "a.csv", offset: int = 0) -> bytes:
    async with connect(remote, policy) as transport:
        return b"".join([piece async for piece in transport.read(path, offset=offset)])


async def reason(remote: Remote, policy: TransferPolicy, path: str = "a.csv") -> str:
    with pytest.raises(TransportFailed) as failed:
        await read(remote, policy, path)
    return failed.value.reason


async def once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def test_a_server_with_another_host_key_learns_no_secret(sftp: SftpServer, patient: MakePolicy) -> None:
    for kind in ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"):
        other = asyncssh.generate_private_key(kind)
        for expected in (other.get_fingerprint(), line(other)):
            with pytest.raises(TransportFailed, match="host key does not match") as failed:
                await read(trusting(sftp, expected), patient())
            assert (failed.value.step, failed.value.transient) == ("connect", False)
    assert sftp.faults.connections > 0
    assert sftp.faults.passwords == []
    assert sftp.faults.keys == []


async def test_a_host_key_may_be_pinned_whatever_its_kind(sftp: SftpServer, patient: MakePolicy) -> None:
    for key in sftp.keys.hosts:
        for expected in (key.get_fingerprint(), line(key), f"{line(key)} a comment"):
            assert await read(trusting(sftp, expected), patient()) == b"good"
    assert sftp.faults.passwords == [PASSWORD] * 6


async def test_a_host_key_is_required(sftp: SftpServer, patient: MakePolicy) -> None:
    assert await reason(replace(sftp.remote, options={}), patient()) == "no_host_key"
    for rubbish in ("SHA256:short", "ssh-ed25519 AAAA", "yes", "ssh-ed25519"):
        assert await reason(trusting(sftp, rubbish), patient()) == "bad_option"
    assert sftp.faults.connections == 0


async def test_trust_on_first_use_reports_the_host_key(sftp: SftpServer, patient: MakePolicy) -> None:
    async with connect(trusting(sftp, TRUST_FIRST), patient()) as transport:
        shown = transport.host_key
    assert shown == sftp.keys.hosts[0].get_fingerprint()
    assert await read(trusting(sftp, shown), patient()) == b"good"


async def test_a_private_key_opens_without_a_password(sftp: SftpServer, patient: MakePolicy) -> None:
    assert await read(by_key(sftp, pem(sftp.keys.user)), patient()) == b"good"
    assert sftp.faults.passwords == []
    assert await reason(by_key(sftp, pem(asyncssh.generate_private_key("ssh-ed25519"))), patient()) == "login"


@pytest.mark.parametrize("form", ["openssh", "pkcs8-pem"])
async def test_a_private_key_may_have_a_passphrase(sftp: SftpServer, patient: MakePolicy, form: str) -> None:
    how = {"rounds": 16, "ignore_few_rounds": True} if form == "openssh" else {"format_name": form}
    key = pem(sftp.keys.user, passphrase="pass phräse", **how)
    assert await read(by_key(sftp, key, "pass phräse"), patient()) == b"good"
    before = sftp.faults.connections
    assert await reason(by_key(sftp, key, "another"), patient()) == "bad_option"
    assert await reason(by_key(sftp, key), patient()) == "bad_option"
    assert sftp.faults.connections == before


async def test_an_old_private_key_with_a_passphrase_is_read(sftp: SftpServer, patient: MakePolicy) -> None:
    key = pem(asyncssh.generate_private_key("ssh-rsa"), format_name="pkcs1-pem", passphrase="old")
    assert await reason(by_key(sftp, key, "old"), patient()) == "login"  # read well, but a stranger's
    assert await reason(by_key(sftp, key, "new"), patient()) == "bad_option"


@pytest.mark.parametrize("text", ["", "rubbish", "x" * 100_000, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
async def test_an_invalid_private_key_is_refused(sftp: SftpServer, patient: MakePolicy, text: str) -> None:
    assert await reason(by_key(sftp, SecretStr(text or " ")), patient()) == "bad_option"
    ended = f"{text}-----END OPENSSH PRIVATE KEY-----"
    assert await reason(by_key(sftp, SecretStr(ended)), patient()) == "bad_option"
    assert sftp.faults.connections == 0


async def test_nothing_of_this_machine_is_used(
    sftp: SftpServer, patient: MakePolicy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".ssh"
    folder.mkdir()
    (folder / "id_ed25519").write_text(pem(sftp.keys.user).get_secret_value())
    (folder / "id_ed25519").chmod(0o600)
    (folder / "config").write_text(f"Host *\n  User {USER}\n  StrictHostKeyChecking no\n")
    host = f"[127.0.0.1]:{sftp.remote.port} {line(asyncssh.generate_private_key('ssh-ed25519'))}"
    (folder / "known_hosts").write_text(f"@revoked {host}\n{host}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    called = 0

    async def count(_: object, writer: asyncio.StreamWriter) -> None:
        nonlocal called
        called += 1
        writer.transport.abort()

    async with await asyncio.start_unix_server(count, tmp_path / "agent"):
        assert await reason(replace(sftp.remote, password=None), patient()) == "login"
        assert await read(sftp.remote, patient()) == b"good"
        assert sftp.faults.keys == []
        assert await read(by_key(sftp, pem(sftp.keys.user)), patient()) == b"good"
    assert called == 0


async def test_compression_is_not_negotiated(patient: MakePolicy) -> None:
    keys = Keys()
    server = asyncssh.listen(
        "127.0.0.1", 0, server_factory=Open, server_host_keys=keys.hosts, compression_algs=["zlib@openssh.com"]
    )
    async with await server as running:
        remote = Remote("sftp", "127.0.0.1", running.get_port(), "user", options={"host_key": line(keys.hosts[0])})
        assert await reason(remote, patient()) == "no_tls"  # few bytes could become many


async def test_a_server_in_an_inner_network_is_not_called(sftp: SftpServer, patient: MakePolicy) -> None:
    assert await reason(sftp.remote, patient(guard=Guard())) == "refused"
    assert sftp.faults.connections == 0


async def test_a_user_with_control_characters_is_refused(sftp: SftpServer, patient: MakePolicy) -> None:
    assert await reason(replace(sftp.remote, user="a\nb"), patient()) == "login"
    assert sftp.faults.connections == 0


async def test_a_server_that_does_not_speak_ssh_is_given_up(sftp: SftpServer, patient: MakePolicy) -> None:
    async def chat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 this is mail\r\n" * 10)
        await reader.read()

    async with listener(chat) as port:
        with pytest.raises(TransportFailed) as failed:
            await read(sftp.at(port), patient(idle_seconds=1))
    assert failed.value.step == "connect"


async def test_a_server_that_sends_no_greeting_is_given_up(sftp: SftpServer, patient: MakePolicy) -> None:
    async with listener(silence) as port:
        assert await reason(sftp.at(port), patient(idle_seconds=0.3)) == "no_answer"


async def test_a_server_without_sftp_is_reported_as_forbidden(patient: MakePolicy) -> None:
    keys = Keys()
    async with await asyncssh.listen("127.0.0.1", 0, server_factory=Open, server_host_keys=keys.hosts) as server:
        remote = Remote("sftp", "127.0.0.1", server.get_port(), "user", options={"host_key": line(keys.hosts[0])})
        assert await reason(remote, patient()) == "forbidden"


class Open(asyncssh.SSHServer):
    """Lets everybody in."""

    def begin_auth(self, username: str) -> bool:
        return False


@asynccontextmanager
async def far_away(port: int, seconds: float) -> AsyncIterator[int]:
    """Another port to the same server, every byte later by so many seconds."""
    loop = asyncio.get_running_loop()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            loop.call_later(seconds, writer.write, piece)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(carry(reader, back), carry(there, writer))
        finally:
            back.transport.abort()

    async with listener(serve) as further:
        yield further


async def test_blocks_are_requested_ahead(sftp: SftpServer, patient: MakePolicy) -> None:
    data = bytes(range(256)) * 8_000
    await sftp.store("a.bin", data)
    async with (
        far_away(sftp.remote.port or 0, 0.1) as port,
        connect(sftp.at(port), patient()) as transport,
    ):
        started = time.monotonic()
        assert b"".join([piece async for piece in transport.read("a.bin")]) == data
        assert time.monotonic() - started < 3, "one block after the other would take 6 seconds"


async def test_pieces_are_written_ahead(sftp: SftpServer, patient: MakePolicy) -> None:
    piece = bytes(range(256)) * 512

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(24):
            yield piece

    async with far_away(sftp.remote.port or 0, 0.1) as port:
        started = time.monotonic()
        assert await send(sftp.at(port), "a.bin", patient(), pieces(), forget) == 24 * len(piece)
        assert time.monotonic() - started < 5.5, "one piece after the other would take 6 seconds"
    assert await sftp.stored("a.bin") == piece * 24


async def test_a_server_may_send_less_than_was_requested(sftp: SftpServer, patient: MakePolicy) -> None:
    data = bytes(range(256)) * 2_000
    await sftp.store("a.bin", data)
    sftp.faults.largest = 10_007
    assert await read(sftp.remote, patient(), "a.bin", offset=5) == data[5:]


async def test_a_file_that_is_replaced_between_two_blocks_has_changed(sftp: SftpServer, patient: MakePolicy) -> None:
    for size in (3_000_000, 2_999_999, 3_000_001):
        await sftp.store("a.bin", bytes(3_000_000), datetime(2026, 11, 20, tzinfo=UTC))
        sftp.faults.left, sftp.faults.fault = 1_000_000, "turn"
        sftp.faults.on_turn = lambda size=size: sftp.store("a.bin", b"x" * size)
        assert await reason(sftp.remote, patient(), "a.bin") == "changed"


async def test_a_file_that_shrinks_or_grows_in_place_has_changed(sftp: SftpServer, patient: MakePolicy) -> None:
    for size in (10, 4_000_000):
        await sftp.store("a.bin", bytes(3_000_000))
        sftp.faults.left, sftp.faults.fault = 1_000_000, "turn"

        async def turn(size: int = size) -> None:
            with (sftp.folder / "a.bin").open("r+b") as file:
                file.truncate(size)

        sftp.faults.on_turn = turn
        assert await reason(sftp.remote, patient(), "a.bin") == "changed"


async def test_a_server_that_cannot_rename_over_a_file_never_loses_the_old_one(
    sftp: SftpServer, patient: MakePolicy
) -> None:
    sftp.faults.renames_over = False
    async with connect(sftp.remote, patient()) as transport:
        await transport.put("out.csv", once(b"first"))
        await transport.put("out.csv", once(b"second"))
        assert await sftp.stored("out.csv") == b"second"
        sftp.faults.broken_rename = 3  # onto the old one, the old one aside, into its place
        with pytest.raises(TransportFailed, match="did not accept"):
            await transport.put("out.csv", once(b"third"))
    assert await sftp.stored("out.csv") == b"second"
    assert await sftp.names() == {"a.csv", "out.csv"}


async def test_a_file_that_a_killed_put_moved_aside_is_put_back(sftp: SftpServer, patient: MakePolicy) -> None:
    for now in (None, b"new"):
        await sftp.store(".x.part", b"half")
        await sftp.store(".x.part.old", b"old")
        if now:
            await sftp.store("out.csv", now)
        async with connect(sftp.remote, patient()) as transport:
            await transport.discard("out.csv", ".x.part")
        assert await sftp.stored("out.csv") == (now or b"old")
        assert await sftp.names() == {"a.csv", "out.csv"}


async def test_links_lead_to_files_and_odd_names_are_left_out(sftp: SftpServer, patient: MakePolicy) -> None:
    await sftp.store("in/real.csv", b"123")
    folder = sftp.folder / "in"
    (folder / "link.csv").symlink_to("real.csv")
    (folder / "dangling.csv").symlink_to("nowhere")
    (folder / "folder.csv").mkdir()
    (folder / "up.csv").symlink_to("folder.csv")
    (folder / "be\x07ll.csv").write_bytes(b"1")
    Path(folder / b"b\xffd.csv".decode("utf-8", "surrogateescape")).write_bytes(b"1")
    async with connect(sftp.remote, patient()) as transport:
        found = {entry.path: entry.size for entry in await transport.list("in/*.csv")}
        assert found == {"in/real.csv": 3, "in/link.csv": 3}
        with pytest.raises(TransportFailed, match="file does not exist"):
            await transport.stat("in/folder.csv")


async def test_relative_paths_start_from_the_root_that_is_given(sftp: SftpServer, patient: MakePolicy) -> None:
    await sftp.store("partner/in/a.csv", b"x", datetime(2026, 11, 20, tzinfo=UTC))
    remote = replace(sftp.remote, options={**sftp.remote.options, "root": "/partner/"})
    async with connect(remote, patient()) as transport:
        assert await transport.list("in/*") == [FileInfo("in/a.csv", 1, datetime(2026, 11, 20, tzinfo=UTC))]
        assert (await transport.stat("/partner/in/a.csv")).size == 1
        await transport.put("b.csv", once(b"y"))
        assert [entry.path for entry in await transport.list("*.csv")] == ["b.csv"]
    assert await sftp.stored("partner/b.csv") == b"y"


async def test_a_reader_may_stop_and_go_on_with_something_else(sftp: SftpServer, patient: MakePolicy) -> None:
    await sftp.store("a.bin", bytes(3_000_000))
    async with connect(sftp.remote, patient()) as transport:
        pieces = transport.read("a.bin")
        assert await anext(pieces)
        await pieces.aclose()
        assert (await transport.stat("a.csv")).size == 4


async def test_no_password_is_logged(sftp: SftpServer, patient: MakePolicy, caplog: pytest.LogCaptureFixture) -> None:
    asyncssh.set_debug_level(2)
    try:
        with caplog.at_level(logging.DEBUG):
            await read(sftp.remote, patient())
            assert await reason(sftp.unwelcome(), patient()) == "login"
    finally:
        asyncssh.set_debug_level(1)
    assert USER in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("odd", ["name", "link"])
async def test_a_strict_list_leaves_out_nothing(sftp: SftpServer, patient: MakePolicy, odd: str) -> None:
    await sftp.store("in/stock.csv", b"x")
    if odd == "name":
        Path(os.fsdecode(bytes(sftp.folder / "in") + b"/\xff.csv")).touch()
    else:
        (sftp.folder / "in/lost.csv").symlink_to("nowhere.csv")
    async with connect(sftp.remote, patient()) as transport:
        assert [each.path for each in await transport.list("in/s*", strict=True)] == ["in/stock.csv"]
        assert [each.path for each in await transport.list("in/*.csv")] == ["in/stock.csv"]
        with pytest.raises(TransportFailed) as failed:
            await transport.list("in/*.csv", strict=True)
        assert failed.value.reason == ("odd_name" if odd == "name" else "missing")
