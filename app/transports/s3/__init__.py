"""S3 and compatible stores: `client` configures aioboto3, `files` is the transport."""

from app.transports.s3.files import connect

__all__ = ["connect"]
