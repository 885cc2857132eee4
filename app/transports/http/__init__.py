"""The web, plain and under TLS: `sockets` dials for httpx, `files` makes a transport of it."""

from app.transports.http.files import connected, place_at

__all__ = ["connected", "place_at"]
