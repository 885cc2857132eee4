"""Which servers this service may call: every address that it dials is checked here first.

The judgement is made on addresses, after the look-up, and the checked addresses themselves are dialled; a name that is
looked up a second time could mean another machine by then.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeVar

from app.transports.failed import failure

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
T = TypeVar("T")
Connect = Callable[[Address], Awaitable[T]]
Lookup = Callable[[str, int], Awaitable[list[str]]]

# By hand, because `is_global` of the supported Pythons says yes to some of them (RELIABILITY §9.1).
# Source: IANA's special-purpose registries; the Azure address is that of its host agent.
REFUSED: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    )
)  # fmt: skip
UNICAST = ip_network("2000::/3")  # all of IPv6 that is given out to the public; everything else is refused
COMPATIBLE = ip_network("::/96")
NAT64 = ip_network("64:ff9b::/96")
NOWHERE = ip_network("0.0.0.0/8")
LOCAL_NAT64 = ip_network("64:ff9b:1::/48")


def meanings(address: Address) -> Iterator[Address]:
    """Every machine that packets to this address may end at: itself, and what is wrapped in it."""
    if isinstance(address, IPv4Address):
        yield address
        return
    inside = IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.ipv4_mapped is not None or address in NAT64:
        yield inside  # the wrapping is only spelling, or a translator of the operator's own network
        return
    yield address
    if address in COMPATIBLE:
        yield inside
    if address in LOCAL_NAT64:
        yield from behind_translator(address)
    if address.sixtofour is not None:
        yield address.sixtofour
    yield from address.teredo or ()


def behind_translator(address: IPv6Address) -> Iterator[IPv4Address]:
    """Where the four bytes stand depends on the length of the translator's own prefix, 48 to 96 bits, which is not
    known here (RFC 6052 §2.2: byte 8 is left out). No packet is for 0.0.0.0/8: there the bytes do not stand."""
    packed = address.packed[:8] + address.packed[9:]
    read = (IPv4Address(packed[start : start + 4]) for start in (6, 7, 8, 11))
    return (each for each in read if each not in NOWHERE)


def is_public(address: Address) -> bool:
    """Whether an address, taken as it stands, belongs to the public network."""
    if isinstance(address, IPv6Address) and address not in UNICAST:
        return False
    return not any(address in network for network in REFUSED)


async def first(addresses: list[Address], seconds: float, connect: Connect[T]) -> T:
    """What the first address gives that answers; each but the last has its share of the time."""
    for address in addresses[:-1]:
        with suppress(OSError):  # a time-out is one too: the next address may be better
            async with asyncio.timeout(seconds / len(addresses)):
                return await connect(address)
    return await connect(addresses[-1])


async def look_up(host: str, port: int) -> list[str]:
    """All addresses of a name, in the order that the system prefers."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets through what is public, and the networks that the operator allows beside."""

    allowed: tuple[Network, ...] = ()
    lookup: Lookup = look_up

    def permits(self, address: Address) -> bool:
        return all(is_public(each) or any(each in network for network in self.allowed) for each in meanings(address))

    async def checked(self, host: str, port: int) -> list[Address]:
        """The addresses to dial for a name or a literal; one that is refused refuses them all."""
        if not host or not host.isprintable() or " " in host:
            raise failure("bad_address")  # an empty host would mean this machine
        try:
            answers = await self.lookup(host, port)
            addresses = list(dict.fromkeys(ip_address(answer) for answer in answers))
        except socket.gaierror as wrong:
            raise failure("no_lookup" if wrong.errno == socket.EAI_AGAIN else "unknown_host") from None
        except (ValueError, OSError):  # UnicodeError is a ValueError: no name can look like that
            raise failure("bad_address") from None
        if not addresses or not all(self.permits(address) for address in addresses):
            raise failure("refused")
        return addresses

    def check_peer(self, peer: str) -> None:
        """Once more after connecting: whom did we really reach?"""
        if not self.permits(ip_address(peer)):
            raise failure("refused")

    async def reach(self, host: str, port: int, seconds: float, connect: Connect[T]) -> T:
        """What `connect` makes of the first checked address that answers; it raises OSError for one that does not.

        `seconds` are for everything: the look-up and all addresses.
        """
        try:
            async with asyncio.timeout(seconds):
                return await first(await self.checked(host, port), seconds, connect)
        except TimeoutError:
            raise failure("no_answer") from None
        except OSError:
            raise failure("unreachable") from None

    async def dial(self, host: str, port: int, seconds: float) -> socket.socket:
        """A connected socket, non-blocking, for clients that take a ready one."""
        return await self.reach(host, port, seconds, lambda address: self._connected(address, port))

    async def _connected(self, address: Address, port: int) -> socket.socket:
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
