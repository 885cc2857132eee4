"""Stored files: an upload becomes a blob before it is accepted, and every worker reads it from there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from app.storage.blobs.blob import Blobs, BlobWriter
from app.storage.blobs.errors import BlobDamaged, BlobMissing, BlobsUnavailable
from app.storage.blobs.files import FileBlobs
from app.storage.blobs.s3 import Bucket, BucketAddress, build_client_factory, parse_bucket_url, write_ca_bundle
from app.storage.blobs.shared import SharedBlobs

__all__ = [
    "BlobDamaged",
    "BlobMissing",
    "BlobWriter",
    "Blobs",
    "BlobsUnavailable",
    "BucketAccess",
    "FileBlobs",
    "SharedBlobs",
    "check_blobs_url",
    "open_blobs",
]  # fmt: skip

INVALID_URL: Final = "SLUICE_BLOBS must be `file:///folder` or `s3://bucket/prefix`"


@dataclass(frozen=True, slots=True)
class BucketAccess:
    """How a bucket is reached: keys (those of the environment if there are none), the certificate file of a private
    authority, and the folder for local copies, which together may take about `copies_bytes`."""

    copies: Path
    copies_bytes: int
    key: SecretStr | None = None
    secret: SecretStr | None = None
    ca_file: Path | None = None


def open_blobs(url: str, access: BucketAccess) -> Blobs:
    """The store at `url`, which is `file:///folder` or `s3://bucket/prefix`. A bucket is not contacted yet. Raises
    ValueError for any other URL, OSError for a folder that cannot be used."""
    location = parse_blobs_url(url, access)
    return FileBlobs(location) if isinstance(location, Path) else open_bucket(location, access)


def check_blobs_url(url: str, access: BucketAccess) -> None:
    """Raises ValueError where `open_blobs` would, without touching anything."""
    parse_blobs_url(url, access)


def parse_blobs_url(url: str, access: BucketAccess) -> Path | BucketAddress:
    """The folder or the bucket at `url`. Raises ValueError."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(INVALID_URL) from None
    if parts.scheme == "s3":
        if (access.key is None) != (access.secret is None):
            raise ValueError("SLUICE_BLOBS_KEY and SLUICE_BLOBS_SECRET must be set together")
        return parse_bucket_url(url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise ValueError(INVALID_URL)
    return Path(unquote(parts.path))


def open_bucket(address: BucketAddress, access: BucketAccess) -> SharedBlobs:
    copies = FileBlobs(access.copies.absolute())
    build_client = build_client_factory(
        address,
        key=access.key.get_secret_value() if access.key else None,
        secret=access.secret.get_secret_value() if access.secret else None,
        ca_bundle=write_ca_bundle(access.ca_file, copies.root) if access.ca_file else None,
    )
    return SharedBlobs(Bucket(address, build_client), copies, access.copies_bytes)
