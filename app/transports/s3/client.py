"""The S3 client: it calls only checked addresses, takes nothing from the environment, and translates errors."""

import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache, partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

import aioboto3
import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from aiohttp.abc import AbstractResolver, ResolveResult
from botocore import exceptions

from app.errors import Retryable
from app.transports.failed import TransportFailed, bad_option, failure
from app.transports.guard import Exhausted, is_own_trouble
from app.transports.options import BUCKET, REGION
from app.transports.transport import CHUNK, Remote, TransferPolicy, time_limit
from app.transports.url import parse_server_url

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client

LONGEST_ANSWER = 16_777_216  # bytes of an answer that is not a file: a page of a list is below 2 MB
NOWHERE = (None, None, os.devnull, None)

# S3's error code -> a key of REASONS; the status where the answer has no code (HEAD has none).
CODES: dict[str, str] = {
    "NoSuchKey": "missing", "NoSuchBucket": "no_bucket", "NotFound": "missing", "404": "missing",
    "AccessDenied": "forbidden", "AllAccessDisabled": "forbidden", "403": "forbidden",
    "InvalidAccessKeyId": "login", "SignatureDoesNotMatch": "login", "ExpiredToken": "login", "InvalidToken": "login",
    "InvalidClientTokenId": "login", "401": "login",
    "NoSuchUpload": "busy",  # somebody has aborted it, such as a rule of the bucket: begin again
    "PreconditionFailed": "changed", "412": "changed",
    "PermanentRedirect": "elsewhere", "TemporaryRedirect": "elsewhere", "AuthorizationHeaderMalformed": "elsewhere",
    "IllegalLocationConstraintException": "elsewhere", "301": "elsewhere", "302": "elsewhere", "303": "elsewhere",
    "307": "elsewhere", "308": "elsewhere",
    "SlowDown": "busy", "RequestTimeout": "busy", "InternalError": "busy", "ServiceUnavailable": "busy", "429": "busy",
    "500": "busy", "502": "busy", "503": "busy", "504": "busy",
}  # fmt: skip
# The client's errors in the order in which they are checked: the first class that matches gives the reason.
ERRORS: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.ConnectTimeoutError, "no_answer"),
    (exceptions.ReadTimeoutError, "idle"),
    (exceptions.SSLError, "no_tls"),
    (exceptions.EndpointConnectionError, "unreachable"),
    (exceptions.IncompleteReadError, "cut"),
    (exceptions.HTTPClientError, "cut"),
    (aiohttp.ClientError, "cut"),
    (exceptions.ParamValidationError, "bad_path"),
)


@cache
def shared_session() -> aioboto3.Session:
    """A session without files, environment and keys. All clients share it, because loading S3's model is slow."""
    unread = {"profile": (None, None, None, None), "config_file": NOWHERE, "credentials_file": NOWHERE}
    return aioboto3.Session(botocore_session=AioSession(session_vars=unread))


@asynccontextmanager
async def open_client(remote: Remote, policy: TransferPolicy) -> AsyncIterator["S3Client"]:
    """A client for a bucket. The keys must be the caller's own, never those of the machine that this runs on."""
    region, endpoint = remote.text("region", "us-east-1"), remote.text("endpoint") or None
    key, secret = remote.secret("access_key"), remote.secret("secret_key")
    is_bucket, is_region = BUCKET.fullmatch(remote.text("bucket")), REGION.fullmatch(region)
    valid = {"access_key": key, "secret_key": secret, "bucket": is_bucket, "region": is_region}
    if not all(valid.values()):
        raise bad_option(*(name for name in valid if not valid[name]))
    if endpoint:
        target = parse_server_url(endpoint)
        await policy.guard.resolve(target.host, target.port)
    opening = shared_session().client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=remote.secret("session_token"),
        config=build_config(remote, policy),
    )
    async with opening as client:
        yield client


def build_config(remote: Remote, policy: TransferPolicy) -> AioConfig:
    path_style = remote.options.get("path_style", bool(remote.text("endpoint")))
    return AioConfig(
        http_session_cls=partial(CheckedSession, policy),  # type: ignore[arg-type]  # called like a class
        signature_version="s3v4",
        s3={"addressing_style": "path" if path_style else "virtual"},
        connect_timeout=policy.connect_seconds,
        read_timeout=policy.idle_seconds,
        retries={"total_max_attempts": 1},
        proxies={},  # None means those of the environment
        ignore_configured_endpoint_urls=True,
        # Many compatible servers do not know the newer checksums; TLS and the length protect the transfer.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turns every error that the client can raise into a TransportFailed."""
    try:
        yield
    except exceptions.ClientError as wrong:
        raise failure(find_reason(wrong)) from None
    except (exceptions.BotoCoreError, aiohttp.ClientError) as wrong:
        cause = wrong.kwargs.get("error") if isinstance(wrong, exceptions.BotoCoreError) else None
        if isinstance(cause, TransportFailed | Retryable):  # raised by the guard inside the client
            raise cause from None
        if is_own_trouble(cause or wrong):
            raise Exhausted from wrong
        if isinstance(cause, aiohttp.ClientConnectorCertificateError):
            raise failure("certificate") from None
        raise failure(next((reason for kind, reason in ERRORS if isinstance(wrong, kind)), "odd_answer")) from None
    except (ValueError, LookupError, OverflowError):  # botocore's parsers, and ours
        raise failure("odd_answer") from None


def find_reason(wrong: exceptions.ClientError) -> str:
    """The reason for an error answer, by its code, else by its status."""
    code = wrong.response.get("Error", {}).get("Code", "")
    status = wrong.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return CODES.get(code) or CODES.get(str(status), "odd_answer")


class CheckedResolver(AbstractResolver):
    """Resolves names to checked addresses. A literal address never gets here: `open_checked_socket` checks it."""

    def __init__(self, policy: TransferPolicy) -> None:
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        async with time_limit(self._policy.connect_seconds, "no_answer"):
            addresses = await self._policy.guard.resolve(host, port)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


class BoundedResponse(aiohttp.ClientResponse):
    """An answer that is read whole only up to LONGEST_ANSWER. Files are read piece by piece."""

    async def read(self) -> bytes:
        if self._body is None:
            try:
                self._body = await self._read_all()
            except BaseException:
                self.close()  # as aiohttp does; otherwise it warns about an unclosed connection
                raise
        return self._body

    async def _read_all(self) -> bytes:
        read = bytearray()
        while piece := await self.content.read(CHUNK):
            read += piece
            if len(read) > LONGEST_ANSWER:
                raise failure("odd_answer")
        return bytes(read)


class NoRedirectSession:
    """A session that does not follow redirects: a client with the right region needs none."""

    def __init__(self, shared_session: aiohttp.ClientSession) -> None:
        self._session = shared_session

    async def request(self, method: str, **kwargs: Any) -> aiohttp.ClientResponse:
        return await self._session.request(method, allow_redirects=False, **kwargs)


class CheckedSession(AIOHTTPSession):
    """aiobotocore's HTTP session with our own aiohttp session under it.

    Its settings accept a resolver, but would still allow redirects to literal addresses, the environment's proxies and
    endless answers.
    """

    def __init__(self, policy: TransferPolicy, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._policy = policy
        self._opened: aiohttp.ClientSession | None = None

    async def __aexit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened:
            await self._opened.close()
        await super().__aexit__(kind, wrong, trace)

    async def _get_session(self, proxy_url: str | None) -> NoRedirectSession:
        """Called by `send`. It is overridden because there is no public way to pass a session in."""
        if proxy_url:
            raise failure("refused")
        self._opened = self._opened or open_session(self._policy)
        return NoRedirectSession(self._opened)


def open_session(policy: TransferPolicy) -> aiohttp.ClientSession:
    def open_checked_socket(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        policy.guard.check_peer(str(address[0]))
        return socket.socket(family, kind, protocol)

    connector = aiohttp.TCPConnector(
        ssl=policy.tls, resolver=CheckedResolver(policy), socket_factory=open_checked_socket, use_dns_cache=False
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=policy.connect_seconds, sock_read=policy.idle_seconds),
        skip_auto_headers={"Content-Type"},
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        response_class=BoundedResponse,
    )
