"""HTTP and HTTPS: `sockets` dials for httpx, `files` is the transport."""

from app.transports.http.files import connect, parse_remote_url

__all__ = ["connect", "parse_remote_url"]
