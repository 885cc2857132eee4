"""S3 and what speaks like it: `client` is aioboto3 as we want it, `files` makes a transport of it."""

from app.transports.s3.files import connected

__all__ = ["connected"]
