"""The way to Redis or Valkey: the server's own address, or that of sentinels who know which server it is."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from arq.connections import ArqRedis
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    InvalidResponse,
    NoPermissionError,
    RedisError,
    ResponseError,
)

from app.addresses import explain_silence, join_port
from app.errors import Retryable

REACH_SECONDS: Final = 3.0  # for a server that is asked whether it is there
# For a server that sentinels named: a machine that has vanished never says so, and another one has its part by then.
VANISHED_SECONDS: Final = 5.0
PORT, SENTINEL_PORT = 6379, 26379
PLAIN: Final = "redis://:password@host:port/number"
BEHIND_SENTINELS: Final = "redis+sentinel://:password@host:port,host:port/master/number"
SCHEMES: Final = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
REFUSED: Final = "refuses the user or the password in SLUICE_REDIS_URL. Special characters are percent-encoded there"
# OpenSSL's codes of what is wrong with a certificate. All others mean that nobody who is trusted has issued it.
EXPIRED, OF_ANOTHER = 10, (62, 64)


class QueueUnavailable(Retryable):
    """Redis or Valkey did not answer."""

    part = "queue"


class WrongAddress(ValueError):
    """The server's address cannot be parsed. The parsers' own messages quote it, and so a part of the password."""

    def __init__(self, form: str = PLAIN) -> None:
        super().__init__(f"SLUICE_REDIS_URL must look like `{form}`, with a percent-encoded password")


class AddressRefused(ValueError):
    """The server answers, but the address has a wrong user, password, number, host or master."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`hosts` are those of the sentinels if there is a `master`, and else the one of the server. `login` opens the
    server, and `sentinel_login` the sentinels: members `username` and `password`, both in plain text."""

    hosts: tuple[tuple[str, int], ...] = ()
    database: int = 0
    tls: bool = False
    unix_socket: str | None = None
    master: str | None = None
    login: Mapping[str, str] = field(default_factory=dict, repr=False)
    sentinel_login: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def sentinels(self) -> str:
        """For messages."""
        return f"the sentinels {', '.join(join_port(host, port) for host, port in self.hosts)}"

    @property
    def where(self) -> str:
        """For messages."""
        if self.master:
            return f"{self.master} of {self.sentinels}"
        return self.unix_socket or join_port(*self.hosts[0])


def parse_address(url: str) -> RedisAddress:
    """Raises WrongAddress."""
    form = BEHIND_SENTINELS if "sentinel" in url.partition(":")[0] else PLAIN
    with suppress(ValueError, KeyError):
        parts = urlsplit(url)
        if parts.scheme in SCHEMES:
            return read_sentinels(parts) if "sentinel" in parts.scheme else read_server(parts)
    raise WrongAddress(form) from None


def read_server(parts: SplitResult) -> RedisAddress:
    """Raises ValueError."""
    is_socket = parts.scheme == "unix"
    if is_socket and not parts.path:
        raise ValueError
    number = parse_qs(parts.query).get("db", ["" if is_socket else parts.path.lstrip("/")])[0]
    return RedisAddress(
        hosts=() if is_socket else ((parts.hostname or "localhost", parts.port or PORT),),
        database=int(number or 0),
        tls=parts.scheme == "rediss",
        unix_socket=parts.path if is_socket else None,
        login=read_login(parts.username, parts.password),
    )


def read_sentinels(parts: SplitResult) -> RedisAddress:
    """`//user:password@host:port,host:port/master/number?sentinel_username=…&sentinel_password=…`; only the hosts and
    the master are needed. Raises ValueError, KeyError."""
    master, _, number = parts.path.lstrip("/").partition("/")
    before, _, hosts = parts.netloc.rpartition("@")
    login = urlsplit(f"//{before}@host")
    given = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
    if not master or not {"sentinel_username", "sentinel_password"}.issuperset(given):
        raise KeyError
    return RedisAddress(
        hosts=tuple(read_hosts(hosts)),
        database=int(number or 0),
        tls=parts.scheme == "rediss+sentinel",
        master=unquote(master),
        login=read_login(login.username, login.password),
        sentinel_login={name.removeprefix("sentinel_"): value for name, value in given.items()},
    )


def read_hosts(hosts: str) -> Iterator[tuple[str, int]]:
    """Raises ValueError."""
    for each in hosts.split(","):
        place = urlsplit(f"//{each.strip()}")
        if not place.hostname:
            raise ValueError
        yield place.hostname, place.port or SENTINEL_PORT


def read_login(username: str | None, password: str | None) -> dict[str, str]:
    given = {"username": username, "password": password}
    return {name: unquote(value) for name, value in given.items() if value}


class MasterPool(SentinelConnectionPool):
    """Connections to the server that is the master by now, and what they need to find it."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        if inuse_connections:  # else only the master is another one
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()


def build_redis(address: RedisAddress, ca_file: Path | None, **queue: Any) -> ArqRedis:
    """A client of the server, which does not connect yet. `ca_file` has the certificates of a private authority, and
    `queue` is what ARQ has to know."""
    # Host names are not checked by default in redis-py 5: any certificate of a trusted authority would do.
    secure: dict[str, Any] = (
        {"ssl_check_hostname": True, "ssl_ca_certs": str(ca_file) if ca_file else None} if address.tls else {}
    )
    reaching: dict[str, Any] = {"ssl": address.tls, "socket_connect_timeout": REACH_SECONDS, **secure}
    opening: dict[str, Any] = {"db": address.database, "retry_on_timeout": True, **address.login}
    if address.master is None:
        host, port = address.hosts[0] if address.hosts else ("", 0)
        return ArqRedis(host=host, port=port, unix_socket_path=address.unix_socket, **reaching, **opening, **queue)
    # Each is asked in turn, so those that are away must not use up the time in which one has to answer.
    asking = {**reaching, "socket_connect_timeout": REACH_SECONDS / 3, "socket_timeout": REACH_SECONDS / 3}
    sentinels = Sentinel(address.hosts, sentinel_kwargs={**asking, **address.sentinel_login})  # type: ignore[no-untyped-call]
    pool = MasterPool(  # type: ignore[no-untyped-call]
        address.master, sentinels, socket_timeout=VANISHED_SECONDS, **reaching, **opening
    )
    client = ArqRedis(pool, **queue)
    client.auto_close_connection_pool = True
    return client


def explain_no_connection(error: RedisError | OSError, address: RedisAddress) -> QueueUnavailable | AddressRefused:
    """In words of our own: the server's may quote a command with its values."""
    where = address.where
    if distrusted := find_distrusted(error):
        return AddressRefused(f"The certificate of Redis at {where} {explain_distrusted(distrusted.verify_code)}")
    match error:
        case MasterNotFoundError():
            return explain_no_master(str(error), address)
        case AuthenticationError() | NoPermissionError():
            return AddressRefused(f"Redis at {where} {REFUSED}")
        case BusyLoadingError():
            trouble = "it is still loading its data"
        case ResponseError() if "out of range" in str(error):
            return AddressRefused(f"Redis at {where} does not have the database number that SLUICE_REDIS_URL names")
        case InvalidResponse():
            return AddressRefused(f"What answers at {where} is not Redis. Correct SLUICE_REDIS_URL")
        case _:
            # redis-py raises an error of its own while it handles the system's.
            trouble = explain_silence(error if isinstance(error, OSError) else error.__context__, REACH_SECONDS)
    return QueueUnavailable(f"Redis (SLUICE_REDIS_URL) does not answer at {where}: {trouble}")


def find_distrusted(trouble: BaseException) -> ssl.SSLCertVerificationError | None:
    """What is wrong with a certificate. redis-py raises an error of its own while it handles that one."""
    return trouble.__context__ if isinstance(trouble.__context__, ssl.SSLCertVerificationError) else None


def explain_distrusted(code: int) -> str:
    if code in OF_ANOTHER:
        return "is for another host. Correct the host in SLUICE_REDIS_URL, or have the certificate issued for it"
    if code == EXPIRED:
        return "has expired. Renew it"
    return "is of an unknown authority. Set SLUICE_CA_FILE to a PEM file of that authority"


def explain_no_master(said: str, address: RedisAddress) -> QueueUnavailable | AddressRefused:
    """`said` is what redis-py tells of each sentinel that did not answer as it should."""
    if "CERTIFICATE_VERIFY_FAILED" in said:
        trouble = "are for other hosts, expired, or of an unknown authority. Check the hosts in SLUICE_REDIS_URL"
        return AddressRefused(f"The certificates of {address.sentinels} {trouble} and SLUICE_CA_FILE")
    if "AuthenticationError" in said or "NoPermissionError" in said:
        trouble = "want a user or a password. Write them as `sentinel_username` and `sentinel_password`"
        return AddressRefused(f"All that answer of {address.sentinels} {trouble} into the query of SLUICE_REDIS_URL")
    if said.count("Error(") >= len(address.hosts):
        return QueueUnavailable(f"Redis (SLUICE_REDIS_URL): none of {address.sentinels} answers")
    trouble = f"{address.sentinels} know no master {address.master} that answers"
    return QueueUnavailable(f"Redis (SLUICE_REDIS_URL): {trouble}. Ask them with SENTINEL MASTERS")
