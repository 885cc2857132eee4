"""FTP and FTPS: `session` talks to the server, `answers` interprets it, `files` is the transport."""

from app.transports.ftp.files import connect

__all__ = ["connect"]
