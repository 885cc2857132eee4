"""What an SSH server offers, read from its first packet when no session came about: it says why better than the end of
the connection, which is all that many servers answer if nothing that was asked for suits them."""

import asyncio
import re
import socket
from collections.abc import Iterable, Mapping
from typing import Final

from asyncssh.encryption import get_default_encryption_algs
from asyncssh.kex import get_default_kex_algs
from asyncssh.mac import get_default_mac_algs

from app.transports.failed import REASONS, TransportFailed
from app.transports.transport import Remote, TransferPolicy
from app.transports.url import validate_port

GREETING: Final = b"SSH-2.0-Sluice\r\n"
LONGEST_LINE: Final = 8_192  # bytes of a line before and of the server's version (RFC 4253 §4.2 allows 255)
MOST_LINES: Final = 100
LONGEST_PACKET: Final = 35_000  # bytes (RFC 4253 §6.1)
KEXINIT: Final = 20
COOKIE: Final = 16
# The lists of the packet in their order (RFC 4253 §7.1), up to the last that matters here. The ciphers and MACs of the
# second direction are those of the first one, wherever that has been seen.
LISTS: Final = ("key exchange methods", "host key algorithms", "ciphers", "ciphers to client", "MACs")
MOST_NAMED: Final = 5
# Some names in the first list are no methods, but tell what a server can do besides (RFC 8308 §2.1).
ALGORITHM = re.compile(r"(?!ext-info-|kex-strict-)[A-Za-z0-9@.+_-]{1,64}")

Offers = Mapping[str, frozenset[str]]


def list_key_exchanges() -> list[str]:
    """The methods to negotiate: asyncssh's own choice, without Kerberos, and without groups that the server makes up.
    Whether the number in such a group is a prime is tested, and a server can make that take minutes."""
    named = (each.decode() for each in get_default_kex_algs())
    return [each for each in named if not each.startswith(("gss-", "diffie-hellman-group-exchange-"))]


async def read_offers(remote: Remote, policy: TransferPolicy) -> Offers:
    """What the server offers, by the words of LISTS. Raises TransportFailed, OSError, EOFError and ValueError."""
    port = validate_port(remote.scheme, remote.port)
    dialled = await policy.guard.dial(remote.host, port, policy.connect_seconds)
    reader, writer = await open_streams(dialled)
    try:
        writer.write(GREETING)
        async with asyncio.timeout(policy.connect_seconds):
            return parse_offers(await read_first_packet(reader))
    finally:
        writer.transport.abort()


async def open_streams(dialled: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        return await asyncio.open_connection(sock=dialled, limit=LONGEST_LINE)
    except BaseException:
        dialled.close()
        raise


async def read_first_packet(reader: asyncio.StreamReader) -> bytes:
    """The payload of the first packet, after the line with the server's version and any before it."""
    for _ in range(MOST_LINES):
        line = await reader.readline()
        if not line:
            raise EOFError
        if line.startswith(b"SSH-"):
            break
    size = int.from_bytes(await reader.readexactly(4), "big")
    if not 0 < size <= LONGEST_PACKET:
        raise ValueError("no packet")
    packet = await reader.readexactly(size)
    return packet[1 : size - packet[0]]


def parse_offers(payload: bytes) -> Offers:
    """The lists of a KEXINIT packet. Raises ValueError if it is something else."""
    if not payload or payload[0] != KEXINIT:
        raise ValueError("no KEXINIT")
    at, offers = 1 + COOKIE, {}
    for name in LISTS:
        size = int.from_bytes(payload[at : at + 4], "big")
        offers[name] = frozenset(payload[at + 4 : at + 4 + size].decode("ascii").split(",")) - {""}
        at += 4 + size
    return offers


def explain_no_session(offers: Offers, host_keys: Iterable[str]) -> TransportFailed | None:
    """Why a client that wants one of these kinds of host keys could not agree with the server. None if it could."""
    accepted = {
        "key exchange methods": frozenset(list_key_exchanges()),
        "ciphers": names(get_default_encryption_algs()),
        "MACs": names(get_default_mac_algs()),
        "host key algorithms": frozenset(host_keys),
    }
    lacking = (kind for kind, algorithms in accepted.items() if offers[kind].isdisjoint(algorithms))
    kind = next(lacking, None)
    return None if kind is None else too_old(kind, offers[kind])


def names(algorithms: Iterable[bytes]) -> frozenset[str]:
    return frozenset(each.decode() for each in algorithms)


def too_old(kind: str, offered: Iterable[str]) -> TransportFailed:
    row = REASONS["old_ssh"]
    named = sorted(filter(ALGORITHM.fullmatch, offered))[:MOST_NAMED]
    detail = f"{row.detail}. It offers only these {kind}: {', '.join(named)}" if named else row.detail
    return TransportFailed(row.step, detail, reason="old_ssh")
