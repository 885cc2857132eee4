"""httptools' parser, for a server that has no other protocol than HTTP/1.1."""

from collections.abc import Callable
from typing import Any, Final

import httptools

# What says where a body ends.
FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})


class Parser(httptools.HttpRequestParser):
    """Parses the requests of a connection. `go_on` takes what follows the head of one that offers another protocol, as
    Java's HTTP client does with each first request: httptools expects no body there, and stops."""

    def __init__(self, protocol: Any, go_on: Callable[[bytes], None]) -> None:
        super().__init__(protocol)
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn
        self._go_on = go_on

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]  # uvicorn has bytes only
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as offered:
            self._go_on(data[offered.args[0] :])
