"""Which servers this service is allowed to call: every address that it dials is checked here first.

Addresses are judged, not names: after the lookup, and the checked addresses themselves are dialled. A name that is
looked up a second time could mean another machine by then.
"""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeVar

from app.errors import Retryable
from app.transports.failed import failure

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
T = TypeVar("T")
OpenStream = Callable[[Address], Awaitable[T]]
Lookup = Callable[[str, int], Awaitable[list[str]]]

# Listed by hand, because `is_global` of the supported Pythons accepts some of them (RELIABILITY §9.1).
# Source: IANA's special-purpose registries. 168.63.129.16 is the host agent of Azure.
REFUSED: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    )
)  # fmt: skip
UNICAST = ip_network("2000::/3")  # all of IPv6 that is assigned to the public; everything else is refused
COMPATIBLE = ip_network("::/96")
NAT64 = ip_network("64:ff9b::/96")
NOWHERE = ip_network("0.0.0.0/8")
LOCAL_NAT64 = ip_network("64:ff9b:1::/48")


def effective_addresses(address: Address) -> Iterator[Address]:
    """Every address at which packets to this one may end: itself, and the IPv4 addresses embedded in it."""
    if isinstance(address, IPv4Address):
        yield address
        return
    inside = IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.ipv4_mapped is not None or address in NAT64:
        yield inside  # only another spelling, or a translator in the operator's own network
        return
    yield address
    if address in COMPATIBLE:
        yield inside
    if address in LOCAL_NAT64:
        yield from unwrap_nat64(address)
    if address.sixtofour is not None:
        yield address.sixtofour
    yield from address.teredo or ()


def unwrap_nat64(address: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that a local NAT64 address may embed. The position of the four bytes depends on the length of
    the translator's prefix, 48 to 96 bits, which is not known here (RFC 6052 §2.2: byte 8 is left out). Nothing is sent
    to 0.0.0.0/8, so a position that gives such an address is not the right one."""
    packed = address.packed[:8] + address.packed[9:]
    read = (IPv4Address(packed[start : start + 4]) for start in (6, 7, 8, 11))
    return (each for each in read if each not in NOWHERE)


def is_public(address: Address) -> bool:
    """Whether an address itself, whatever is embedded in it, belongs to the public internet."""
    if isinstance(address, IPv6Address) and address not in UNICAST:
        return False
    return not any(address in network for network in REFUSED)


OWN_TROUBLES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
OWN_LOOKUP_TROUBLES = frozenset({socket.EAI_SYSTEM, socket.EAI_MEMORY})


async def connect_first(addresses: list[Address], seconds: float, open_stream: OpenStream[T]) -> T:
    """The result of the first address that answers. Each but the last gets an equal share of the time."""
    for address in addresses[:-1]:
        with suppress(OSError):  # a timeout is one too; the next address may answer
            async with asyncio.timeout(seconds / len(addresses)):
                return await open_stream(address)
    return await open_stream(addresses[-1])


async def look_up_addresses(host: str, port: int) -> list[str]:
    """All addresses of a name, in the system's order of preference."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Exhausted(Retryable):
    """This machine has no file descriptor, port or memory left for a connection: the other server is not to blame."""

    part = "machine"

    def __str__(self) -> str:
        return "This machine cannot open another connection. Check its limits (`ulimit -n`)"


def is_own_trouble(error: BaseException | None) -> bool:
    """Whether the error, or one that it came from, says that this machine has no more of something."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in OWN_TROUBLES:
            return True
        error = error.__cause__ or error.__context__
    return False


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets public addresses through, and the networks that the operator allows."""

    allowed: tuple[Network, ...] = ()
    lookup: Lookup = look_up_addresses

    def permits(self, address: Address) -> bool:
        return all(
            is_public(each) or any(each in network for network in self.allowed) for each in effective_addresses(address)
        )

    async def resolve(self, host: str, port: int) -> list[Address]:
        """The addresses to dial for a name or a literal address. If one of them is refused, all are."""
        if not host or not host.isprintable() or " " in host:
            raise failure("bad_address")  # an empty host means this machine
        try:
            answers = await self.lookup(host, port)
            addresses = list(dict.fromkeys(ip_address(answer) for answer in answers))
        except socket.gaierror as wrong:
            if wrong.errno in OWN_LOOKUP_TROUBLES:
                raise Exhausted from wrong
            raise failure("no_lookup" if wrong.errno == socket.EAI_AGAIN else "unknown_host") from None
        except (ValueError, OSError):  # UnicodeError, for an impossible name, is a ValueError
            raise failure("bad_address") from None
        if not addresses or not all(self.permits(address) for address in addresses):
            raise failure("refused")
        return addresses

    def check_peer(self, peer: str) -> None:
        """Checks again, after connecting, which address was really reached."""
        if not self.permits(ip_address(peer)):
            raise failure("refused")

    async def connect(self, host: str, port: int, seconds: float, open_stream: OpenStream[T]) -> T:
        """The result of `open_stream` for the first checked address that answers. It raises OSError for any other.

        `seconds` is for everything: the lookup and all addresses.
        """
        try:
            async with asyncio.timeout(seconds):
                return await connect_first(await self.resolve(host, port), seconds, open_stream)
        except TimeoutError:
            raise failure("no_answer") from None
        except OSError as wrong:
            if is_own_trouble(wrong):
                raise Exhausted from wrong
            raise failure("unreachable") from None

    async def dial(self, host: str, port: int, seconds: float) -> socket.socket:
        """A connected non-blocking socket, for clients that accept one."""
        return await self.connect(host, port, seconds, lambda address: self._open_socket(address, port))

    async def _open_socket(self, address: Address, port: int) -> socket.socket:
        family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
        dialled = socket.socket(family, socket.SOCK_STREAM)
        try:
            dialled.setblocking(False)
            await asyncio.get_running_loop().sock_connect(dialled, (str(address), port))
            self.check_peer(str(dialled.getpeername()[0]))
        except BaseException:
            dialled.close()
            raise
        return dialled
