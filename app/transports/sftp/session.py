"""One SSH connection: asyncssh on a socket that guard has dialled, the host key judged before any credential leaves."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import asyncssh

from app.transports.failed import Step, TransportFailed, failure
from app.transports.sftp.keys import Trust, private_key_of, trust_of
from app.transports.transport import Remote, Terms, within
from app.transports.url import checked_port

LOST: dict[Step, str] = {"connect": "unreachable", "find": "cut", "read": "cut", "write": "cut_writing"}
REFUSED: dict[Step, str] = {"connect": "forbidden", "find": "odd_answer", "read": "cut", "write": "not_written"}
ANSWERS: tuple[tuple[type[asyncssh.SFTPError], str], ...] = (
    (asyncssh.SFTPNoSuchFile, "missing"),
    (asyncssh.SFTPNoSuchPath, "missing"),
    (asyncssh.SFTPNotADirectory, "missing"),
    (asyncssh.SFTPPermissionDenied, "forbidden"),
)


def meaning(refused: asyncssh.SFTPError, step: Step) -> TransportFailed:
    """A server's refusal in our words."""
    if isinstance(refused, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection):
        return failure(LOST[step])
    known = [reason for kind, reason in ANSWERS if isinstance(refused, kind) and step != "write"]
    return failure(known[0] if known else REFUSED[step])


@contextmanager
def told(step: Step) -> Iterator[None]:
    """Turns whatever can go wrong on the wire into a TransportFailed."""
    try:
        yield
    except asyncssh.SFTPError as refused:
        raise meaning(refused, step) from None
    except asyncssh.PermissionDenied:
        raise failure("login") from None
    except asyncssh.ChannelOpenError:
        raise failure("forbidden") from None
    except (asyncssh.KeyExchangeFailed, asyncssh.ProtocolNotSupported):
        raise failure("no_tls") from None
    except (OSError, EOFError, asyncssh.Error):
        raise failure(LOST[step]) from None
    except (ValueError, LookupError):
        raise failure("odd_answer") from None


class Greeter(asyncssh.SSHClient):
    """What asyncssh asks when the server shows its host key."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        return self._trust.accepts(key)


@asynccontextmanager
async def opened(remote: Remote, terms: Terms) -> AsyncIterator[tuple[asyncssh.SFTPClient, str]]:
    """A session at one place, logged in, and the fingerprint of the host key that the server showed."""
    connection = await logged_in(remote, terms)
    try:
        with told("connect"):
            async with within(terms.idle_seconds, "no_answer"):
                client = await connection.start_sftp_client()
        key = connection.get_server_host_key()
        yield client, key.get_fingerprint() if key else ""
    finally:
        connection.close()
        with suppress(TransportFailed), told("find"):
            async with within(1):
                await connection.wait_closed()
        connection.abort()


async def logged_in(remote: Remote, terms: Terms) -> asyncssh.SSHClientConnection:
    trust, key = trust_of(remote), await private_key_of(remote)
    if not remote.user.isprintable():
        raise failure("login")
    for algorithms in trust.algorithms():
        with told("connect"):
            async with within(terms.idle_seconds, "no_answer"):
                connection = await tried(remote, terms, trust, key, algorithms)
        if connection:
            return connection
    raise failure("host_key")


async def tried(
    remote: Remote, terms: Terms, trust: Trust, key: asyncssh.SSHKey | None, algorithms: tuple[str, ...]
) -> asyncssh.SSHClientConnection | None:
    """A connection to a server with a host key of these kinds; None if it has no such one, or the wrong one."""
    port = checked_port(remote.scheme, remote.port)
    dialled = await terms.guard.dial(remote.host, port, terms.connect_seconds)
    try:
        return await asyncssh.connect(
            remote.host,
            port,
            sock=dialled,
            client_factory=lambda: Greeter(trust),
            known_hosts=([], [], []),
            server_host_key_algs=algorithms,
            username=remote.user,
            password=remote.password.get_secret_value() if remote.password else None,
            client_keys=[key] if key else None,
            # Nothing of this machine's, and nothing that makes many bytes of few.
            config=None,
            agent_path=None,
            x509_trusted_certs=None,
            gss_host=None,
            compression_algs=None,
            utf8_decode_errors="replace",
        )
    except asyncssh.HostKeyNotVerifiable:
        return None
    except asyncssh.KeyExchangeFailed as failed:
        if "host key" in failed.reason:
            return None
        raise
    except ValueError:
        dialled.close()  # asyncssh did not get as far as taking it over
        raise
