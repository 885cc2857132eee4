"""Bounds the connections of an API process, in all and for each address, and closes idle ones to make room."""

import resource
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Protocol

MOST_CONNECTIONS: Final = 1_000
FEWEST_CONNECTIONS: Final = 8
CALLER: Final = "caller"  # where the scope of a request holds who sent it, once that is known
# Descriptors that the process needs besides: its libraries, the loop, listeners, Redis. PostgreSQL's come on top.
OWN_FILES: Final = 32


class OpenConnection(Protocol):
    """What is known of an open connection. `idle_since` is on the loop's clock; None while a request is answered."""

    address: str  # see `group_address`

    @property
    def idle_since(self) -> float | None: ...

    def evict(self) -> None: ...


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections a process holds. Some of them stay out of reach of any one address."""

    total: int
    per_address: int


def build_connection_limits(database_pool: int) -> ConnectionLimits:
    """From the limit of open files: each connection may need a file besides its socket, for an upload or a download."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    spare = MOST_CONNECTIONS if files == resource.RLIM_INFINITY else (files - OWN_FILES - database_pool) // 2
    total = max(FEWEST_CONNECTIONS, min(MOST_CONNECTIONS, spare))
    return ConnectionLimits(total, total // 2)


def group_address(host: str) -> str:
    """The address that a client is counted by; of an IPv6 address its /64, all of which one machine can use."""
    try:
        address = parse_address(host)
    except ValueError:
        return host
    return str(IPv6Network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)


def parse_address(host: str) -> IPv4Address | IPv6Address:
    """An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) is the IPv4 address: many proxies write all of them
    so, and they would all be in one /64. Raises ValueError."""
    address = ip_address(host)
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


class Connections:
    """All open connections of the process."""

    def __init__(self, limits: ConnectionLimits, proxies: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        self._limits = limits
        self._proxies = proxies
        self._open: set[OpenConnection] = set()
        self._counts: Counter[str] = Counter()  # by address; none for a trusted proxy, which speaks for many

    def admit(self, connection: OpenConnection, host: str) -> bool:
        """Takes up a new connection. If there are too many, the one that is idle longest is closed, of the address that
        has most. Returns whether the new one is spare."""
        self._open.add(connection)
        if not self._is_proxy(host):
            self._counts[connection.address] += 1
        if not self.is_crowded(connection):
            return False
        own = connection.address if self._has_too_many(connection.address) else None
        others = [each for each in self._open if each is not connection and own in (None, each.address)]
        idle = [(self._counts[each.address], -since, each) for each in others if (since := each.idle_since) is not None]
        if idle:
            evicted = max(idle, key=lambda entry: entry[:2])[2]
            self.release(evicted)
            evicted.evict()
        return self.is_crowded(connection)  # still, if the one that went was spare itself

    def is_crowded(self, connection: OpenConnection) -> bool:
        """Whether there are too many connections, with this one, in all or of its address."""
        return len(self._open) > self._limits.total or self._has_too_many(connection.address)

    def release(self, connection: OpenConnection) -> None:
        """Does nothing for a connection that is released already."""
        if connection not in self._open:
            return
        self._open.remove(connection)
        if connection.address in self._counts:
            self._counts[connection.address] -= 1
            self._counts += Counter()  # drops what has become zero

    def _has_too_many(self, address: str) -> bool:
        return self._counts[address] > self._limits.per_address

    def _is_proxy(self, host: str) -> bool:
        try:
            return any(parse_address(host) in network for network in self._proxies)
        except ValueError:
            return False
