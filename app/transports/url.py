"""URLs as callers write them: parsed once, with the rules for protocols and ports."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from app.transports.failed import failure

LONGEST_URL = 8_192
LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

DEFAULT_PORTS: dict[str, int] = {"http": 80, "https": 443, "ftp": 21, "ftps": 21, "sftp": 22, "s3": 443}
OWN_PORTS: dict[str, frozenset[int]] = {
    "ftp": frozenset({21}), "ftps": frozenset({21, 990}), "sftp": frozenset({22}),
}  # fmt: skip
# Ports of services on which a few bytes of ours could have an effect: the bad ports of the Fetch standard, and stores
# that ask for no password. The real protection is that addresses are refused (`guard`); this list is for the networks
# that an operator has allowed.
REFUSED_PORTS = frozenset({
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376,
    2379, 2380, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432, 5672, 5984, 6000, 6379, 6443, 6566, 6665, 6666, 6667,
    6668, 6669, 6679, 6697, 9042, 9200, 9300, 10080, 10250, 11211, 27017,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """A web address. `path` begins with a slash, includes the query and is percent-encoded."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


def parse_server_url(url: str, schemes: tuple[str, ...] = ("https", "http")) -> ServerUrl:
    """Parses a URL. Raises TransportFailed for another scheme, a user or password in it, control characters or
    backslashes, and a port that may not be called."""
    # Control characters first: `urlsplit` drops some of them silently.
    if not 0 < len(url) <= LONGEST_URL or not url.isprintable() or "\\" in url:
        raise failure("bad_address")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise failure("bad_address") from None
    if parts.scheme not in schemes:
        raise failure("bad_scheme")
    if not parts.hostname or "@" in parts.netloc or " " in parts.netloc:
        raise failure("bad_address")
    query = f"?{parts.query}" if parts.query else ""
    return ServerUrl(
        parts.scheme, parts.hostname, validate_port(parts.scheme, port), encode_path((parts.path or "/") + query)
    )


def validate_port(scheme: str, port: int | None) -> int:
    """The port to call: the given one, or the protocol's default. Raises TransportFailed if it may not be called."""
    port = DEFAULT_PORTS[scheme] if port is None else port
    if not 0 < port < 65_536 or port in REFUSED_PORTS - OWN_PORTS.get(scheme, frozenset()):
        raise failure("bad_port")
    return port


def encode_path(path: str) -> str:
    """Percent-encodes a path with its query. What is encoded already stays as it is."""
    return quote(LONE_PERCENT.sub("%25", path), safe="/%?:@!$&'()*+,;=~")
