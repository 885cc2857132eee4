"""Hands on what arrives on a connection in small pieces: an upload holds several at a time, and many arrive at once."""

from asyncio import BaseTransport, BufferedProtocol, Protocol
from typing import Final

PIECE_BYTES: Final = 65_536  # uvloop reads 256,000 bytes at once, of which ten uploads held 7 MB


class Receiver(BufferedProtocol):
    """Reads for the protocol of one connection. All connections share the `buffer`: what one has read is handed on
    before another reads."""

    def __init__(self, buffer: bytearray, protocol: Protocol) -> None:
        self._buffer, self._protocol = memoryview(buffer), protocol

    def connection_made(self, transport: BaseTransport) -> None:
        self._protocol.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.connection_lost(exc)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  what the loop would read is too much
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._protocol.data_received(bytes(self._buffer[:nbytes]))

    def eof_received(self) -> bool | None:
        return self._protocol.eof_received()

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()
