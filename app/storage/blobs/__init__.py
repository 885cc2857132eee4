"""Stored files: an upload becomes a blob before it is accepted, and every worker reads it from there."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from app.storage.blobs.blob import BlobMissing, Blobs, BlobsUnavailable, BlobWriter
from app.storage.blobs.files import FileBlobs
from app.storage.blobs.s3 import Bucket, address_from, authorities_with, client_maker
from app.storage.blobs.shared import SharedBlobs

__all__ = [
    "Access", "BlobMissing", "BlobWriter", "Blobs", "BlobsUnavailable", "FileBlobs", "SharedBlobs", "open_blobs",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Access:
    """How a bucket is reached: keys (without them the environment's), a private CA, and where copies are kept."""

    copies: Path
    copies_bytes: int
    key: SecretStr | None = None
    secret: SecretStr | None = None
    ca_file: Path | None = None


def open_blobs(url: str, access: Access) -> Blobs:
    """The store that `url` names: `file:///folder` or `s3://bucket/prefix`; a bucket is not asked yet. Raises
    ValueError for any other."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return open_bucket(url, access)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise ValueError(f"SLUICE_BLOBS must be file:///folder or s3://bucket/prefix, not {parts.scheme}://")
    return FileBlobs(Path(unquote(parts.path)))


def open_bucket(url: str, access: Access) -> SharedBlobs:
    address = address_from(url)
    if (access.key is None) != (access.secret is None):
        raise ValueError("SLUICE_BLOBS_KEY and SLUICE_BLOBS_SECRET must be set both, or none")
    copies = FileBlobs(access.copies.absolute())
    make = client_maker(
        address,
        key=access.key.get_secret_value() if access.key else None,
        secret=access.secret.get_secret_value() if access.secret else None,
        authorities=authorities_with(access.ca_file, copies.root) if access.ca_file else None,
    )
    return SharedBlobs(Bucket(address, make), copies, access.copies_bytes)
