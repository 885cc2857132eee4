"""A collector of traces: it takes them by OTLP over HTTP, as any other does, and decodes them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Received:
    """A span as it came."""

    name: str
    trace_id: str
    id: str
    parent: str  # "" for the first of its trace
    links: list[str]
    failed: bool
    seconds: float
    attributes: Mapping[str, Any]


@dataclass(slots=True)
class Collector:
    url: str = ""
    bodies: list[bytes] = field(default_factory=list)  # as they came

    @property
    def spans(self) -> list[Received]:
        requests = [ExportTraceServiceRequest.FromString(each) for each in self.bodies]
        sent = [scope for request in requests for resource in request.resource_spans for scope in resource.scope_spans]
        return [read_span(span) for scope in sent for span in scope.spans]

    def named(self, name: str) -> list[Received]:
        return [each for each in self.spans if each.name == name]


def read_span(span: Any) -> Received:
    values = {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}
    return Received(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        [each.span_id.hex() for each in span.links],
        span.status.code == 2,
        (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        values,
    )


@contextmanager
def running_collector() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/v1/traces":
                zipped = self.headers.get("content-encoding") == "gzip"
                collector.bodies.append(decompress(body) if zipped else body)
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield collector
        finally:
            server.shutdown()
