"""uvicorn's protocol with limits: how large a head may be, how long it may take, how slowly an answer may be read.

What is refused here reaches no route: it is answered with a short problem document, and the connection is closed.
"""

from asyncio import Transport
from asyncio.events import TimerHandle
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.observe.events import ConnectionRefused
from app.observe.logs import log
from app.web.server.connections import CALLER, Connections, group_address
from app.web.server.parser import FRAMING, Parser
from app.web.server.receiver import PIECE_BYTES, Receiver
from app.web.server.verdicts import CROWDED, LONG_HEAD, LONG_PATH, SLOW, UNREADABLE, Verdict

# Where the scope of a request whose answer goes on until it is told to end has an event for that. Without it the server
# would wait for such an answer as long as it may.
STOPPING: Final = "stopping"
# Answered although there are too many connections: a process that is busy is alive.
PROBES: Final = frozenset({b"/healthz", b"/readyz"})


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What one connection may do. An answer must be read at `write_bytes` in `write_seconds`, or to its end."""

    head_bytes: int = 32_768  # request line and headers together, and so trailers and what is between requests
    headers: int = 200
    head_seconds: float = 10.0  # from the opening of the connection, or from the first byte of a later request
    keep_alive_seconds: int = 75  # without a request; load balancers reuse a connection for up to 60
    pipelined: int = 16  # requests that wait for the answer to the one before
    write_seconds: float = 60.0
    write_bytes: int = 60_000
    anonymous_seconds: float = 5.0  # after which a request that shows no key may be cut off to make room
    # After a refusal, what still comes is discarded for so long: closing at once would reset the connection, and the
    # client would never see the answer.
    linger_seconds: float = 5.0


class Stage(Enum):
    """What the next byte belongs to."""

    BETWEEN = auto()  # requests
    HEAD = auto()
    BODY = auto()  # and trailers


class NotAccepted(Exception):
    """Stops the parser. The verdict is in the protocol."""


class Protocol(HttpToolsProtocol):
    """One connection. Every byte is counted before it is kept."""

    def __init__(self, connections: Connections, limits: ServerLimits, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self.parser = Parser(self, self._decline_upgrade)
        self.address = ""
        self._book = connections
        self._limits = limits
        self._idle_since: float | None = None
        self._asked_at = 0.0
        self._spare = False  # opened although there were too many
        self._stage = Stage.BETWEEN
        self._verdict = UNREADABLE
        self._resuming = False  # a head that was handled already is parsed again
        self._closing = False  # refused: nothing is parsed any more
        self._head_bytes = 0  # of headers and trailers that the parser has passed on
        self._headers = 0
        self._kept = 0  # bytes received since the parser passed on a head or a piece of a body
        self._head_timer: TimerHandle | None = None
        self._write_timer: TimerHandle | None = None
        self._unsent = 0  # bytes, when the write timer was set

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        self.address, self._idle_since = group_address(host), self.loop.time()
        self._spare = self._book.admit(self, host)
        self._time_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._book.release(self)
        self._stop_head_timer()
        self._stop_write_timer()
        super().connection_lost(exc)

    @property
    def idle_since(self) -> float | None:
        """A request without a key counts as idle after a while: its answer is not read, or its body not wanted."""
        if self._idle_since is not None or CALLER in self.cycle.scope:
            return self._idle_since
        patient_until = self._asked_at + self._limits.anonymous_seconds
        return patient_until if self.loop.time() > patient_until else None

    def shutdown(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        stopping: Any = None if cycle is None else cycle.scope.get(STOPPING)
        if stopping is not None:
            stopping.set()
        super().shutdown()

    def evict(self) -> None:
        self.transport.abort()

    # What arrives

    def data_received(self, data: bytes) -> None:
        self._kept += len(data)
        if self._closing:
            if self._kept > self._verdict.linger_bytes:
                self.transport.abort()
            return
        super().data_received(data)
        self._judge_head()

    def _judge_head(self) -> None:
        """What is kept of a head that has not ended."""
        if self._closing or self.transport.is_closing():
            return
        if self._kept > self._limits.head_bytes:
            self.refuse(LONG_HEAD if self._headers or self._stage is not Stage.HEAD else LONG_PATH)
        elif self._head_timer is None and (self._stage is Stage.HEAD or (self._stage is Stage.BETWEEN and self._kept)):
            self._time_head()

    def _decline_upgrade(self, rest: bytes) -> None:
        """This server has no other protocol: the request is served in this one. A new parser learns how its body ends,
        and gets what follows the head."""
        awaited = self._stage is Stage.BODY
        self.parser = Parser(self, self._decline_upgrade)
        if awaited:
            framing = b"".join(b"%b: %b\r\n" % header for header in self.headers if header[0] in FRAMING)
            self._resuming = True
            self.parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n")
            self._resuming = False
        self.parser.feed_data(rest)

    def on_message_begin(self) -> None:
        if self._resuming:
            return
        self._stage, self._head_bytes, self._headers, self._kept = Stage.HEAD, 0, 0, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        if self._resuming:
            return
        self._count_head(len(url), LONG_PATH)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._resuming:
            return
        self._headers += 1
        self._count_head(len(name) + len(value) + 4, LONG_HEAD)
        if self._stage is Stage.HEAD:  # a trailer must not become a header after the headers were judged
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._resuming:
            return
        self._stage, self._kept = Stage.BODY, 0
        self._stop_head_timer()
        if not self.transport.get_write_buffer_size():
            self._stop_write_timer()
        if len(self.pipeline) >= self._limits.pipelined:
            raise NotAccepted
        self._spare = self._spare and self._book.is_crowded(self)
        if self._spare and self.url.partition(b"?")[0] not in PROBES:
            self._verdict = CROWDED
            raise NotAccepted
        super().on_headers_complete()
        self._idle_since, self._asked_at = None, self.loop.time()
        self.cycle.keep_alive = self.cycle.keep_alive and not self._spare

    def on_body(self, body: bytes) -> None:
        self._kept = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade() and any(name in FRAMING for name, _ in self.headers):
            return  # the body follows, see `_decline_upgrade`
        self._stage, self._kept = Stage.BETWEEN, 0
        super().on_message_complete()

    def _count_head(self, size: int, verdict: Verdict) -> None:
        self._head_bytes += size
        if self._head_bytes > self._limits.head_bytes or self._headers > self._limits.headers:
            self._verdict = verdict
            raise NotAccepted

    def _time_head(self) -> None:
        self._head_timer = self.loop.call_later(self._limits.head_seconds, self._give_up_head)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up_head(self) -> None:
        if self.flow.read_paused:  # by a request that waits for its turn: the client cannot go on
            self._time_head()
        elif self._stage is Stage.HEAD or self._kept:
            self.refuse(SLOW)
        else:  # nothing was ever said
            self.transport.close()

    # What is answered

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  uvicorn's text is always the same
        self.refuse(self._verdict)

    def refuse(self, verdict: Verdict) -> None:
        """Answers and closes the connection. Requests before this one that are complete are answered first, without
        the verdict."""
        if self._closing or self.transport.is_closing():
            return
        self._closing, self._verdict = True, verdict
        self._stop_head_timer()
        cycle: RequestResponseCycle | None = self.cycle  # of the newest request; there may be none yet
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:
                cycle.keep_alive = False
                return
            if self.pipeline or cycle.response_started:
                self.transport.abort()
                return
            cycle.disconnected = True  # for the route the client is gone
            cycle.message_event.set()
        log(ConnectionRefused(verdict.status, self.client[0] if self.client else ""))
        self._idle_since, self._kept = self.loop.time(), 0
        self.flow.resume_reading()
        self.transport.write(verdict.encoded(self.server_state.default_headers))
        self.transport.write_eof()
        self._head_timer = self.loop.call_later(self._limits.linger_seconds, self.transport.abort)

    def on_response_complete(self) -> None:
        unread = self.cycle.response_complete and self.cycle.more_body
        super().on_response_complete()
        self._time_writes()
        if unread:  # and unwanted: it could be sent for ever
            self.transport.close()
        elif self.cycle.response_complete:
            self._idle_since = self.loop.time()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._time_writes()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_write_timer()

    def _time_writes(self) -> None:
        self._unsent = self.transport.get_write_buffer_size()
        if self._unsent and self._write_timer is None:
            self._write_timer = self.loop.call_later(self._limits.write_seconds, self._check_writes)

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _check_writes(self) -> None:
        self._write_timer = None
        unsent = self.transport.get_write_buffer_size()
        if unsent and unsent > self._unsent - self._limits.write_bytes:
            self.transport.abort()
        else:
            self._time_writes()


def build_protocol(connections: Connections, limits: ServerLimits = ServerLimits()) -> Any:
    """What uvicorn takes as `http`: called with its own arguments, it makes the protocol of one connection."""
    buffer = bytearray(PIECE_BYTES)

    def build(**uvicorns: Any) -> Receiver:
        return Receiver(buffer, Protocol(connections, limits, **uvicorns))

    return build
