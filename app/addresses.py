"""Addresses as settings name them: what is wrong with one, why nobody answers there, and sockets to listen on."""

import errno
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import quote

from app.errors import TROUBLE, SluiceError, join_choices

BACKLOG: Final = 2_048
# What a password in a URL cannot hold as it is.
RESERVED: Final = "@/?#[]"
UNREACHABLE: Final = (errno.EHOSTUNREACH, errno.ENETUNREACH)
NOT_HERE: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class CannotListen(SluiceError):
    """A process cannot listen where it should; the message names the port."""

    exit_code = TROUBLE


def join_port(host: str, port: int | None) -> str:
    """`host:port`, with the brackets of an IPv6 address."""
    named = f"[{host}]" if ":" in host else host
    return named if port is None else f"{named}:{port}"


def explain_silence(error: BaseException | None, seconds: float) -> str:
    """Why a server could not be reached within so many seconds."""
    match error:
        case ConnectionRefusedError():
            return "nothing listens there"
        case socket.gaierror():
            return "the host is unknown"
        case TimeoutError():
            return f"no answer within {seconds:g} seconds"
        case OSError() if error.errno in UNREACHABLE:
            return "no way leads there"
    return "the connection broke"


def find_unencoded(url: str, breaking: str = RESERVED) -> str:
    """The characters of user and password that have to be percent-encoded, each once; "" if the address is read
    rightly as it is. `breaking`: those that make its parser read another host. The host follows the last `@`."""
    rest = url.partition("://")[2]
    before, _, query = rest.partition("?")
    credentials = (before if "=" in query.partition("@")[0] else rest).rpartition("@")[0]
    if not any(each in breaking for each in credentials):
        return ""
    return "".join(dict.fromkeys(each for each in credentials if each in RESERVED))


def explain_unencoded(setting: str, characters: str) -> str:
    """What to do about the characters, without the password that they are from."""
    encoded = join_choices(f"`{each}` as `{quote(each, safe='')}`" for each in characters).replace(" or ", " and ")
    return f"{setting} has a user or password whose special characters must be percent-encoded: write {encoded}"


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on all addresses of the host. Port 0 is any free port, the same for all. Raises
    CannotListen."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror:
        raise CannotListen(f"Cannot listen on {host}: no address of this name is known. Correct --host") from None
    opened: list[socket.socket] = []
    missing = OSError(errno.EADDRNOTAVAIL, "")
    for family, address in dict.fromkeys((family, address) for family, *_, address in found):
        number = opened[0].getsockname()[1] if opened else port
        try:
            opened.append(open_socket(family, (address[0], number, *address[2:])))
        except OSError as error:
            if error.errno in NOT_HERE:  # `localhost` has two addresses, and a machine may lack one of them
                missing = error
                continue
            close_sockets(opened)
            raise CannotListen(explain_refused_port(error, host, number)) from None
    if not opened:
        raise CannotListen(explain_refused_port(missing, host, port))
    return opened


def open_socket(family: int, address: Sequence[object]) -> socket.socket:
    """Raises OSError."""
    opened = socket.socket(family)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(tuple(address))
        # Two sockets can be bound to one port, but only one can listen.
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def close_sockets(opened: Sequence[socket.socket]) -> None:
    for each in opened:
        with suppress(OSError):
            each.close()


def explain_refused_port(error: OSError, host: str, port: int) -> str:
    where = f"Cannot listen on port {port} of {host}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{where}: another program has it. Choose another port with --port"
        case errno.EACCES:
            return f"{where}: ports below 1024 need more rights. Choose another port with --port"
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return f"{where}: this machine does not have that address. Correct --host"
    return f"{where}: {error.strerror}"
