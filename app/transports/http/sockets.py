"""Connections for the web client, which go only to checked addresses, whatever name or redirect leads to them."""

import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from app.transports.failed import failure
from app.transports.guard import Address, Guard
from app.transports.transport import TransferPolicy

SocketOption = Any  # httpcore's union of four tuples; none is ever passed


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turns every error that the client can raise into a TransportFailed."""
    try:
        yield
    except (httpcore.ConnectError, httpcore.ConnectTimeout):
        raise failure("unreachable") from None
    except httpcore.TimeoutException:
        raise failure("idle") from None
    except (httpcore.NetworkError, httpcore.RemoteProtocolError):
        raise failure("cut") from None
    except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol, httpx.InvalidURL, UnicodeError):
        raise failure("bad_address") from None
    except (httpx.HTTPError, ValueError):
        raise failure("odd_answer") from None


class CheckedStream(httpcore.AsyncNetworkStream):
    """A connection that uses our TLS context, whichever the pool passes."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, tls: ssl.SSLContext) -> None:
        self._stream = stream
        self._tls = tls

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._stream.start_tls(self._tls, server_hostname, timeout)
        except httpcore.ConnectTimeout:
            raise failure("no_answer") from None
        except httpcore.ConnectError as wrong:
            untrusted = isinstance(wrong.__cause__, ssl.SSLCertVerificationError)
            raise failure("certificate" if untrusted else "no_tls") from None

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Dials the addresses that the guard has checked. The pool keeps the name, for SNI, the certificate and `Host`."""

    def __init__(self, policy: TransferPolicy) -> None:
        self._policy = policy
        self._unchecked = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        guard: Guard = self._policy.guard

        async def open_stream(address: Address) -> httpcore.AsyncNetworkStream:
            try:
                stream = await self._unchecked.connect_tcp(str(address), port)
            except httpcore.ConnectError as wrong:
                raise OSError from wrong
            return await self._check_peer(stream)

        return await guard.connect(host, port, self._policy.connect_seconds, open_stream)

    async def _check_peer(self, stream: httpcore.AsyncNetworkStream) -> httpcore.AsyncNetworkStream:
        try:
            self._policy.guard.check_peer(str(stream.get_extra_info("server_addr")[0]))
        except BaseException:
            await stream.aclose()
            raise
        return CheckedStream(stream, self._policy.tls)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SocketOption] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise failure("bad_address")


class ResponseBody(httpx.AsyncByteStream):
    """The bytes of an answer as they come from the network."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.aiter_stream():
            yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


class CheckedTransport(httpx.AsyncBaseTransport):
    """httpx's transport with our network backend under it: httpx has no other place for one."""

    def __init__(self, policy: TransferPolicy) -> None:
        # The pool sets ALPN on its context, and FTP shares ours: so it gets one that trusts nobody and is never used.
        never_used = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._pool = httpcore.AsyncConnectionPool(ssl_context=never_used, network_backend=CheckedBackend(policy))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        core_request = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        answer = await self._pool.handle_async_request(core_request)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=ResponseBody(answer), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        await self._pool.aclose()
