"""SFTP: `keys` says whom to trust and who we are, `files` makes a transport of a connection."""

from app.transports.sftp.files import connected

__all__ = ["connected"]
