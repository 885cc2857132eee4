"""Spans of requests: FastAPI makes them, and what could tell of cells or secrets is left out."""

from collections.abc import Callable, MutableMapping
from typing import Any, Final

from fastapi.telemetry import TelemetryConfig
from opentelemetry.context import Context
from opentelemetry.trace import NoOpTracer, Span, SpanKind, Tracer, TracerProvider
from opentelemetry.util.types import Attributes, AttributeValue

from app.observe.traces import Traces
from app.web.requests import PROBES

# Paths have keys of records and tokens, queries what somebody looks for. The route and the request's id tell enough.
TOLD: Final = frozenset(
    {"http.request.method", "network.protocol.version", "server.address", "server.port", "url.scheme"}
)


def build_telemetry(find_traces: Callable[[], Traces], *, traced: bool) -> TelemetryConfig:
    """What FastAPI notes of requests: spans if they are `traced`, and nothing else, whatever the process is told by
    others, since FastAPI's logs have the texts of errors. The traces are looked for at the first request."""
    return {
        "tracing": traced,
        "tracer_provider": RequestTracers(find_traces),
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "auto_configure": False,
        "exclude": is_probe,
    }


def is_probe(scope: MutableMapping[str, Any]) -> bool:
    return scope.get("path") in PROBES


class RequestTracers(TracerProvider):
    """Gives FastAPI the tracer for its spans."""

    def __init__(self, find_traces: Callable[[], Traces]) -> None:
        self._find_traces = find_traces

    def get_tracer(self, *_: Any, **__: Any) -> Tracer:
        return RequestTracer(self._find_traces().tracer() or NoOpTracer())


class RequestTracer(NoOpTracer):
    """Begins spans with those attributes only that are `TOLD`."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        *_: Any,
        **__: Any,
    ) -> Span:
        told: dict[str, AttributeValue] = {key: each for key, each in (attributes or {}).items() if key in TOLD}
        return self._tracer.start_span(name, context, kind, told)
