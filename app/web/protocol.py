"""Answers input that is not HTTP, which reaches no route, with a problem document."""

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.errors import REFUSALS

UNREADABLE = msgspec.json.encode(
    {
        "type": "urn:sluice:problem:bad_request",
        "title": REFUSALS["bad_request"],
        "status": 400,
        "detail": "The request is not valid HTTP/1.1",
        "code": "bad_request",
        "errors": [],
    }
)


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, except for its text/plain response."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  uvicorn's text is always the same
        head = [b"HTTP/1.1 400 Bad Request"]
        head += [name + b": " + value for name, value in self.server_state.default_headers]
        head += [b"content-type: application/json", b"content-length: %d" % len(UNREADABLE), b"connection: close"]
        self.transport.write(b"\r\n".join([*head, b"", UNREADABLE]))
        self.transport.close()
