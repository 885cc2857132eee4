"""Stored files: an upload becomes a blob before it is accepted, and every worker reads it from there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from app.storage.blobs.blob import BlobMissing, Blobs, BlobsUnavailable, BlobWriter
from app.storage.blobs.files import FileBlobs
from app.storage.blobs.s3 import Address, Bucket, address_from, authorities_with, client_maker
from app.storage.blobs.shared import SharedBlobs

__all__ = [
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

SPELLED: Final = "SLUICE_BLOBS must be file:///folder or s3://bucket/prefix"


@dataclass(frozen=True, slots=True)
class BucketAccess:
    """How a bucket is reached: keys (without them the environment's), a private CA, and where copies are kept."""

    copies: Path
    copies_bytes: int
    key: SecretStr | None = None
    secret: SecretStr | None = None
    ca_file: Path | None = None


def open_blobs(url: str, access: BucketAccess) -> Blobs:
    """The store that `url` names: `file:///folder` or `s3://bucket/prefix`; a bucket is not asked yet. Raises
    ValueError for any other, OSError for a folder that cannot be used."""
    place = place_of(url, access)
    return FileBlobs(place) if isinstance(place, Path) else open_bucket(place, access)


def check_blobs_url(url: str, access: BucketAccess) -> None:
    """Raises ValueError where `open_blobs` would, but touches nothing."""
    place_of(url, access)


def place_of(url: str, access: BucketAccess) -> Path | Address:
    """The folder or the bucket that `url` names. Raises ValueError."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(SPELLED) from None
    if parts.scheme == "s3":
        if (access.key is None) != (access.secret is None):
            raise ValueError("SLUICE_BLOBS_KEY and SLUICE_BLOBS_SECRET must be set both, or none")
        return address_from(url)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise ValueError(SPELLED)
    return Path(unquote(parts.path))


def open_bucket(address: Address, access: BucketAccess) -> SharedBlobs:
    copies = FileBlobs(access.copies.absolute())
    make = client_maker(
        address,
        key=access.key.get_secret_value() if access.key else None,
        secret=access.secret.get_secret_value() if access.secret else None,
        authorities=authorities_with(access.ca_file, copies.root) if access.ca_file else None,
    )
    return SharedBlobs(Bucket(address, make), copies, access.copies_bytes)
