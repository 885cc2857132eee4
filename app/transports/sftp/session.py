"""One SSH connection: asyncssh on a socket that the guard has dialled. The host key is checked before logging in."""

import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

import asyncssh

from app.transports.failed import WRITING, Step, TransportFailed, failure
from app.transports.sftp.keys import (
    KINDS,
    ExpectedHostKey,
    find_kind,
    list_algorithms,
    load_private_key,
    parse_expected_host_key,
)
from app.transports.sftp.offers import explain_no_session, list_key_exchanges, read_offers
from app.transports.transport import Remote, TransferPolicy, time_limit
from app.transports.url import validate_port

LOST: dict[Step, str] = {"connect": "unreachable", "find": "cut", "read": "cut", "write": "cut_writing"}
REFUSED: dict[Step, str] = {"connect": "forbidden", "find": "odd_answer", "read": "cut", "write": "not_written"}
ANSWERS: tuple[tuple[type[asyncssh.SFTPError], str], ...] = (
    (asyncssh.SFTPNoSuchFile, "missing"),
    (asyncssh.SFTPNoSuchPath, "missing"),
    (asyncssh.SFTPNotADirectory, "missing"),
    (asyncssh.SFTPPermissionDenied, "forbidden"),
)


def interpret(refused: asyncssh.SFTPError, step: Step) -> TransportFailed:
    """The failure that an error status means."""
    if isinstance(refused, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection):
        return failure(LOST[step])
    reason = next((reason for kind, reason in ANSWERS if isinstance(refused, kind)), REFUSED[step])
    return failure(WRITING.get(reason, reason) if step == "write" else reason)


@contextmanager
def translate_errors(step: Step) -> Iterator[None]:
    """Turns every error that the client can raise into a TransportFailed."""
    try:
        yield
    except asyncssh.SFTPError as refused:
        raise interpret(refused, step) from None
    except asyncssh.PermissionDenied:
        raise failure("login") from None
    except asyncssh.ChannelOpenError:
        raise failure("forbidden") from None
    except asyncssh.HostKeyNotVerifiable:
        raise failure("host_key") from None
    except (asyncssh.KeyExchangeFailed, asyncssh.ProtocolNotSupported):
        raise failure("no_tls") from None
    except (OSError, EOFError, asyncssh.Error):
        raise failure(LOST[step]) from None
    except (ValueError, LookupError):
        raise failure("odd_answer") from None


class HostKeyVerifier(asyncssh.SSHClient):
    """Called by asyncssh to check the host key that a server presents. `presented` is its kind in KINDS,
    or empty for another."""

    def __init__(self, expected: ExpectedHostKey) -> None:
        self._expected = expected
        self.presented: str | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.presented = find_kind(key)
        return self._expected.accepts(key)


@asynccontextmanager
async def open_sftp_session(remote: Remote, policy: TransferPolicy) -> AsyncIterator[tuple[asyncssh.SFTPClient, str]]:
    """A session on one server, logged in, and the fingerprint of the host key that the server presented."""
    connection = await log_in(remote, policy)
    try:
        with translate_errors("connect"):
            async with time_limit(policy.idle_seconds, "no_answer"):
                client = await connection.start_sftp_client()
        key = connection.get_server_host_key()
        yield client, key.get_fingerprint() if key else ""
    finally:
        connection.close()
        with suppress(TransportFailed), translate_errors("find"):
            async with time_limit(1):
                await connection.wait_closed()
        connection.abort()


async def log_in(remote: Remote, policy: TransferPolicy) -> asyncssh.SSHClientConnection:
    """A connection to a server that has the expected host key.

    A server with several keys presents one, of the first kind asked for that it has. So each kind whose key was
    another one is left out the next time. A server that has none of the kinds asked for may just end the connection.
    """
    expected, key = parse_expected_host_key(remote), await load_private_key(remote, policy)
    if not remote.user.isprintable():
        raise failure("login")
    kinds = list(expected.kinds())
    while kinds:
        verifier = HostKeyVerifier(expected)
        try:
            return await try_log_in(remote, policy, key, verifier, list_algorithms(kinds))
        except TransportFailed as failed:
            if verifier.presented is None:
                raise await find_cause(remote, policy, kinds, failed) from None
            if failed.reason != "host_key" or verifier.presented not in kinds:
                raise
        kinds.remove(verifier.presented)
    raise failure("host_key")


async def find_cause(
    remote: Remote, policy: TransferPolicy, kinds: Sequence[str], failed: TransportFailed
) -> TransportFailed:
    """A better reason for a connection that ended before a host key was seen, if the server's first packet has one."""
    if failed.reason not in {"no_tls", "unreachable"}:
        return failed
    try:
        offers = await read_offers(remote, policy)
    except (TransportFailed, OSError, EOFError, ValueError):
        return failed
    cause = explain_no_session(offers, list_algorithms(KINDS))
    if cause is None and offers["host key algorithms"].isdisjoint(list_algorithms(kinds)):
        return failure("host_key")
    return cause or failed


async def try_log_in(
    remote: Remote,
    policy: TransferPolicy,
    key: asyncssh.SSHKey | None,
    verifier: HostKeyVerifier,
    algorithms: Sequence[str],
) -> asyncssh.SSHClientConnection:
    """A connection to a server with a host key of these kinds."""
    with translate_errors("connect"):
        async with time_limit(policy.idle_seconds, "no_answer"):
            dialled = await policy.guard.dial(
                remote.host, validate_port(remote.scheme, remote.port), policy.connect_seconds
            )
            return await open_connection(dialled, remote, key, verifier, algorithms)


async def open_connection(
    dialled: socket.socket,
    remote: Remote,
    key: asyncssh.SSHKey | None,
    verifier: HostKeyVerifier,
    algorithms: Sequence[str],
) -> asyncssh.SSHClientConnection:
    try:
        return await asyncssh.connect(
            remote.host,
            sock=dialled,
            client_factory=lambda: verifier,
            known_hosts=([], [], []),
            server_host_key_algs=algorithms,
            kex_algs=list_key_exchanges(),
            username=remote.user,
            password=remote.password.get_secret_value() if remote.password else None,
            client_keys=[key] if key else None,
            # Nothing from this machine's configuration, and no compression, which makes many bytes of few.
            config=None,
            agent_path=None,
            x509_trusted_certs=None,
            gss_host=None,
            compression_algs=None,
            utf8_decode_errors="replace",
        )
    except ValueError:
        dialled.close()  # asyncssh failed before it took over the socket
        raise
