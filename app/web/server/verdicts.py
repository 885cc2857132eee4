"""Why the server itself ends a connection, and what it answers before."""

from dataclasses import dataclass
from typing import Final

import msgspec

from app.errors import REFUSALS


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a connection ends. `code` is one of REFUSALS."""

    status: int
    phrase: str
    code: str
    detail: str
    retry_after: int | None = None  # seconds
    # How much of what still comes is discarded before the connection breaks. After a bad head it is nothing of use.
    linger_bytes: int = 1_048_576

    def encoded(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """The whole response; `headers` are the server's own."""
        body = msgspec.json.encode(
            {
                "type": f"urn:sluice:problem:{self.code}",
                "title": REFUSALS[self.code],
                "status": self.status,
                "detail": self.detail,
                "code": self.code,
                "errors": [],
            }
        )
        lines = [f"HTTP/1.1 {self.status} {self.phrase}".encode(), *(name + b": " + value for name, value in headers)]
        lines += [b"content-type: application/json", b"content-length: %d" % len(body), b"connection: close"]
        lines += [b"retry-after: %d" % self.retry_after] if self.retry_after else []
        return b"\r\n".join([*lines, b"", body])


UNREADABLE: Final = Verdict(400, "Bad Request", "bad_request", "The request is not valid HTTP/1.1")
SLOW: Final = Verdict(408, "Request Timeout", "bad_request", "The headers of the request did not arrive in time")
LONG_PATH: Final = Verdict(414, "URI Too Long", "too_large", "The address of the request is too long")
LONG_HEAD: Final = Verdict(
    431, "Request Header Fields Too Large", "too_large", "The headers of the request are too long, or too many"
)
CROWDED: Final = Verdict(
    503, "Service Unavailable", "not_ready", "There are too many connections. Close those that are idle", 5, 67_108_864
)
