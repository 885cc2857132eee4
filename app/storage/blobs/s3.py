"""A bucket of a service that speaks S3, as blobs need it: four requests, bounded and verified, and our own errors."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import certifi
from botocore.exceptions import BotoCoreError, ClientError, SSLError
from urllib3.exceptions import HTTPError

from app.storage.blobs.blob import BlobMissing, BlobsUnavailable

CHUNK: Final = 262_144
DIGEST: Final = "sha256"  # under this name the digest of a blob is kept with it
CODE: Final = re.compile(r"[A-Za-z0-9.]{1,60}")
SCHEMES: Final = frozenset({"http", "https"})
FLAGS: Final = {None: None, "1": True, "true": True, "0": False, "false": False}
SPELLED: Final = "s3://bucket/prefix?endpoint=https://host&region=name&path_style=1"
BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
PROBE: Final = "ready"  # no blob has such a name


class Torn(BlobsUnavailable):
    """A blob came in part, or not as it was stored."""


class Client(Protocol):
    """What is used of the client: its methods are made at run time."""

    def put_object(self, **given: object) -> Mapping[str, Any]: ...
    def get_object(self, **given: object) -> Mapping[str, Any]: ...
    def delete_object(self, **given: object) -> Mapping[str, Any]: ...
    def list_objects_v2(self, **given: object) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where the blobs are; `prefix` is empty or ends with a slash."""

    bucket: str
    prefix: str
    endpoint: str | None = None
    region: str | None = None
    path_style: bool | None = None  # None: where there is an endpoint, since few others have a name for each bucket


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request may take: seconds to connect, seconds without a byte, and how often it is tried."""

    connect: float
    silence: float
    tries: int


WORKING: Final = Patience(connect=5, silence=20, tries=3)
# Less than readiness waits for: a probe that outlives its question would take a thread away from uploads.
PROBING: Final = Patience(connect=1, silence=2, tries=1)


class Bucket:
    """The objects below a prefix. Blocking, and safe in several threads. Raises BlobsUnavailable from each method."""

    def __init__(self, address: Address, make: Callable[[Patience], Client]) -> None:
        self._bucket, self._prefix = address.bucket, address.prefix
        self._client, self._prober = make(WORKING), make(PROBING)

    def put(self, name: str, path: Path) -> None:
        """Stores a file. The other side refuses it unless all of it came as it is here."""
        with path.open("rb") as file:
            md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest()
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            whole = {"ContentMD5": base64.b64encode(md5).decode(), "Metadata": {DIGEST: sha256}}
            with spoken():
                self._client.put_object(**self._at(name), Body=file, **whole)

    def get(self, name: str, write: Callable[[bytes], object]) -> None:
        """Hands all of an object over, piece by piece. Raises BlobMissing; Torn, if what was written is not all."""
        with spoken():
            answer = self._client.get_object(**self._at(name))
        with closing(answer["Body"]) as body:
            size, digest = 0, hashlib.sha256()
            while piece := read(body):
                write(piece)
                size += len(piece)
                digest.update(piece)
        kept = answer.get("Metadata", {}).get(DIGEST, digest.hexdigest())
        if (size, digest.hexdigest()) != (answer["ContentLength"], kept):
            raise Torn("a stored file came not as it was stored")

    def delete(self, name: str) -> None:
        with spoken():
            self._client.delete_object(**self._at(name))

    def names(self) -> Iterator[tuple[str, float]]:
        """The names of all objects, each with the seconds since 1970 at which it was stored."""
        wanted: dict[str, object] = {"Bucket": self._bucket, "Prefix": self._prefix}
        while True:
            with spoken():
                page = self._client.list_objects_v2(**wanted)
            for each in page.get("Contents", ()):
                yield each["Key"].removeprefix(self._prefix), each["LastModified"].timestamp()
            if not page.get("IsTruncated"):
                return
            wanted["ContinuationToken"] = page["NextContinuationToken"]

    def check(self) -> None:
        with spoken():
            self._prober.put_object(**self._at(PROBE), Body=b"")
            self._prober.delete_object(**self._at(PROBE))

    def _at(self, name: str) -> dict[str, object]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}


def read(body: Any) -> bytes:
    """The next piece of an answer's body. Raises Torn."""
    try:
        piece: bytes = body.read(CHUNK)
    except (BotoCoreError, HTTPError, OSError) as wrong:
        raise Torn("a stored file broke off on its way") from wrong
    return piece


@contextmanager
def spoken() -> Iterator[None]:
    """Turns what the client raises into our own errors. Only an object that is known to be missing is missing: a wrong
    bucket, a wrong key or a proxy's 404 can be mended, and no import should fail for it."""
    try:
        yield
    except ClientError as wrong:
        code = wrong.response.get("Error", {}).get("Code", "")
        if code == "NoSuchKey":
            raise BlobMissing from None
        told = code if CODE.fullmatch(code) else "an error"
        raise BlobsUnavailable(f"the object store answers {told}") from wrong
    except SSLError as wrong:
        told = "its certificate is not trusted (see SLUICE_CA_FILE), or it does not speak TLS"
        raise BlobsUnavailable(f"the object store cannot be used: {told}") from wrong
    except BotoCoreError as wrong:
        raise BlobsUnavailable(f"the object store cannot be used: {type(wrong).__name__}") from wrong


def address_from(url: str) -> Address:
    """Raises ValueError for what is not like SPELLED, without a word of it: somebody may have put a password there."""
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        endpoint, region, style = (options.pop(name, None) for name in ("endpoint", "region", "path_style"))
        server = urlsplit(endpoint or "https://amazon")
    except ValueError:
        raise ValueError(f"SLUICE_BLOBS must be like {SPELLED}") from None
    called = server.scheme in SCHEMES and server.hostname
    if options or not BUCKET.fullmatch(parts.netloc) or not called or style not in FLAGS:
        raise ValueError(f"SLUICE_BLOBS must be like {SPELLED}")
    prefix = unquote(parts.path).strip("/")
    return Address(parts.netloc, f"{prefix}/" if prefix else "", endpoint, region, FLAGS[style])


def client_maker(
    address: Address, *, key: str | None, secret: str | None, authorities: str | None
) -> Callable[[Patience], Client]:
    """Makes clients. Without keys they look for some as AWS' own tools do; `authorities` is a file of certificates.
    Raises ValueError for an address that cannot be one."""
    # Loading these takes 35 MB, which a service that has its files in a folder should not pay for.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    session = boto3.session.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=address.region)
    by_path = address.endpoint is not None if address.path_style is None else address.path_style

    def make(patience: Patience) -> Client:
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if by_path else "auto"},
            connect_timeout=patience.connect,
            read_timeout=patience.silence,
            retries={"mode": "standard", "total_max_attempts": patience.tries},
            max_pool_connections=32,  # more than a process has threads
            # Many servers that speak S3 do not know the newer checksums; blobs have their own.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        try:
            client: Client = session.client("s3", endpoint_url=address.endpoint, verify=authorities, config=config)
        except (BotoCoreError, ValueError):
            raise ValueError(f"SLUICE_BLOBS cannot be used; it must be like {SPELLED}") from None
        return client

    return make


def authorities_with(own: Path, folder: Path) -> str:
    """A file in `folder` with the public authorities and our `own`: the client trusts a single file. Raises OSError."""
    both = folder / "authorities.pem"
    unfinished = folder / f"authorities-{secrets.token_hex(8)}.pem"
    unfinished.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + own.read_bytes())
    unfinished.rename(both)
    return str(both)
