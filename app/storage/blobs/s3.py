"""What blobs need of an S3 bucket: four requests with time limits and checksums, and our own errors."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import certifi

from app.storage.blobs.errors import MARKER, BlobDamaged, BlobMissing, BlobsUnavailable, translate_os_errors

# boto3 takes 35 MB, and its errors alone 1.3, which a service that keeps its files in a folder should not pay for.

CHUNK_BYTES: Final = 262_144
DIGEST_METADATA: Final = "sha256"  # the name under which a blob's digest is stored with it
ERROR_CODE: Final = re.compile(r"[A-Za-z0-9.]{1,60}")
SCHEMES: Final = frozenset({"http", "https"})
FLAGS: Final = {None: None, "1": True, "true": True, "0": False, "false": False}
INVALID_URL: Final = (
    "SLUICE_BLOBS must be an address like `s3://bucket/prefix?endpoint=https://host&region=name&path_style=1`"
)
BUCKET_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
PROBE_NAME: Final = "ready"  # no blob has a name like that


class IncompleteTransfer(BlobsUnavailable):
    """A blob arrived in part."""


class S3Client(Protocol):
    """The methods that are used of boto3's client, which creates them at run time."""

    def put_object(self, **parameters: object) -> Mapping[str, Any]: ...
    def get_object(self, **parameters: object) -> Mapping[str, Any]: ...
    def delete_object(self, **parameters: object) -> Mapping[str, Any]: ...
    def list_objects_v2(self, **parameters: object) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """Where the blobs are. `prefix` is empty or ends with a slash."""

    bucket: str
    prefix: str
    endpoint: str | None = None
    region: str | None = None
    path_style: bool | None = None  # None: yes if there is an endpoint, since few services have a host name per bucket


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How long a request may take: seconds to connect, seconds without a byte, and how many attempts."""

    connect: float
    silence: float
    attempts: int


TRANSFER_LIMITS: Final = RequestLimits(connect=5, silence=20, attempts=3)
# Less than the readiness check waits: a probe that takes longer than its question would keep a thread from uploads.
PROBE_LIMITS: Final = RequestLimits(connect=1, silence=2, attempts=1)


class Bucket:
    """The objects below a prefix. Blocking, and safe in several threads. Every method may raise BlobsUnavailable."""

    def __init__(self, address: BucketAddress, build_client: Callable[[RequestLimits], S3Client]) -> None:
        self._bucket, self._prefix = address.bucket, address.prefix
        self._client, self._prober = build_client(TRANSFER_LIMITS), build_client(PROBE_LIMITS)

    @translate_os_errors()
    def put(self, name: str, path: Path) -> None:
        """Stores a file. The server refuses it unless it arrives complete and unchanged."""
        with path.open("rb") as file:
            md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest()
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            checksums = {"ContentMD5": base64.b64encode(md5).decode(), "Metadata": {DIGEST_METADATA: sha256}}
            with translate_errors():
                self._client.put_object(**self._at(name), Body=file, **checksums)

    def get(self, name: str, write: Callable[[bytes], object]) -> None:
        """Passes an object to `write` piece by piece. Raises BlobMissing; IncompleteTransfer if a part is missing;
        BlobDamaged if it is not what was stored."""
        with translate_errors():
            response = self._client.get_object(**self._at(name))
        with closing(response["Body"]) as body:
            size, digest = 0, hashlib.sha256()
            while piece := read_piece(body):
                write(piece)
                size += len(piece)
                digest.update(piece)
        stored_digest = response.get("Metadata", {}).get(DIGEST_METADATA, digest.hexdigest())
        if size != response["ContentLength"]:
            raise IncompleteTransfer("A stored file did not arrive as a whole")
        if digest.hexdigest() != stored_digest:
            raise BlobDamaged

    def delete(self, name: str) -> None:
        with translate_errors():
            self._client.delete_object(**self._at(name))

    def names(self) -> Iterator[tuple[str, float]]:
        """The names of all objects, each with its age in seconds by the clock of the store."""
        parameters: dict[str, object] = {"Bucket": self._bucket, "Prefix": self._prefix}
        while True:
            with translate_errors():
                page = self._client.list_objects_v2(**parameters)
            now = parsedate_to_datetime(page["ResponseMetadata"]["HTTPHeaders"]["date"])
            for entry in page.get("Contents", ()):
                yield entry["Key"].removeprefix(self._prefix), (now - entry["LastModified"]).total_seconds()
            if not page.get("IsTruncated"):
                return
            parameters["ContinuationToken"] = page["NextContinuationToken"]

    def check(self) -> None:
        with translate_errors():
            self._prober.put_object(**self._at(PROBE_NAME), Body=b"")
            self._prober.delete_object(**self._at(PROBE_NAME))

    def read_mark(self, *, probing: bool = False) -> str | None:
        """The mark of the store; None if there is none."""
        client = self._prober if probing else self._client
        try:
            with translate_errors():
                response = client.get_object(**self._at(MARKER))
        except BlobMissing:
            return None
        with closing(response["Body"]) as body:
            return read_piece(body).decode(errors="replace")

    def write_mark(self, store_id: str) -> None:
        with translate_errors():
            self._client.put_object(**self._at(MARKER), Body=store_id.encode())

    def _at(self, name: str) -> dict[str, object]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}


def read_piece(body: Any) -> bytes:
    """The next piece of a response's body. Raises IncompleteTransfer."""
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        piece: bytes = body.read(CHUNK_BYTES)
    except (BotoCoreError, HTTPError, OSError) as error:
        raise IncompleteTransfer("The transfer of a stored file was cut off") from error
    return piece


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turns what the client raises into our own errors. A blob is missing only if the server says so: a wrong bucket, a
    wrong key or the 404 of a proxy can be corrected, and no import should fail because of it."""
    from botocore.exceptions import BotoCoreError, ClientError, SSLError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "NoSuchKey":
            raise BlobMissing from None
        answer = code if ERROR_CODE.fullmatch(code) else "an error"
        raise BlobsUnavailable(f"The object store answered with {answer}") from error
    except SSLError as error:
        reason = "its certificate is not trusted (see SLUICE_CA_FILE), or it does not speak TLS"
        raise BlobsUnavailable(f"The object store cannot be used: {reason}") from error
    except BotoCoreError as error:
        raise BlobsUnavailable(f"The object store cannot be used: {type(error).__name__}") from error


def parse_bucket_url(url: str) -> BucketAddress:
    """Raises ValueError for anything else, and never repeats it: somebody may have put a password into the URL."""
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        endpoint, region, style = (options.pop(name, None) for name in ("endpoint", "region", "path_style"))
        server = urlsplit(endpoint or "https://amazon")
    except ValueError:
        raise ValueError(INVALID_URL) from None
    is_valid_endpoint = server.scheme in SCHEMES and server.hostname
    if options or not BUCKET_NAME.fullmatch(parts.netloc) or not is_valid_endpoint or style not in FLAGS:
        raise ValueError(INVALID_URL)
    prefix = unquote(parts.path).strip("/")
    return BucketAddress(parts.netloc, f"{prefix}/" if prefix else "", endpoint, region, FLAGS[style])


def build_client_factory(
    address: BucketAddress, *, key: str | None, secret: str | None, ca_bundle: str | None
) -> Callable[[RequestLimits], S3Client]:
    """A function that makes clients. Without keys a client looks for some where the tools of AWS do. `ca_bundle` is the
    path of a file of certificates. Raises ValueError for an address that boto3 does not accept."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    session = boto3.session.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=address.region)
    path_style = address.endpoint is not None if address.path_style is None else address.path_style

    def build_client(limits: RequestLimits) -> S3Client:
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if path_style else "auto"},
            connect_timeout=limits.connect,
            read_timeout=limits.silence,
            retries={"mode": "standard", "total_max_attempts": limits.attempts},
            max_pool_connections=32,  # more than a process has threads
            # Many S3 servers do not know the newer checksums; blobs have their own.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        try:
            client: S3Client = session.client("s3", endpoint_url=address.endpoint, verify=ca_bundle, config=config)
        except (BotoCoreError, ValueError):
            raise ValueError(INVALID_URL) from None
        return client

    return build_client


def write_ca_bundle(own: Path, folder: Path) -> str:
    """Writes a file into `folder` with the public authorities and our `own`, and returns its path: the client accepts a
    single file. Raises OSError."""
    bundle = folder / "authorities.pem"
    unfinished = folder / f"authorities-{secrets.token_hex(8)}.pem"
    unfinished.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + own.read_bytes())
    unfinished.rename(bundle)
    return str(bundle)
