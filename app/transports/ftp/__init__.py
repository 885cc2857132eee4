"""FTP, plain and under TLS: `session` speaks with the server, `files` makes a transport of it."""

from app.transports.ftp.files import connected

__all__ = ["connected"]
