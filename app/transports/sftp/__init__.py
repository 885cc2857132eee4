"""SFTP: `keys` handles host keys and private keys, `session` logs in, `files` is the transport."""

from app.transports.sftp.files import connect

__all__ = ["connect"]
