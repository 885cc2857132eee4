"""Builds the ASGI app with all surfaces. Run as a program with the arguments `HOST PORT`, it serves the app."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_network
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.addresses import join_port, open_sockets
from app.dashboard import DASHBOARD
from app.dashboard.headers import PageHeadersMiddleware
from app.dashboard.origin import SameOriginMiddleware
from app.observe.process_events import ProcessStarted, ProcessStopped
from app.process import run_process
from app.runtime import open_runtime, parse_origins, parse_proxies
from app.settings import Settings
from app.surfaces import SURFACES
from app.throttle import Allowance
from app.web.checks import NulMiddleware
from app.web.openapi import build_openapi
from app.web.requests import RequestMiddleware
from app.web.responses.rendered import RenderedAnswers
from app.web.server.connections import Connections, build_connection_limits
from app.web.server.protocol import ServerLimits, build_protocol
from app.web.server.tracing import build_telemetry
from app.web.surface import Surfaces, internal_error

EXPOSED = ("Content-Disposition", "ETag", "Preference-Applied", "Retry-After", "X-Request-Id")
METHODS = ("DELETE", "GET", "HEAD", "POST", "PUT")
# How long a thread that renders something large keeps the event loop waiting. Python's 5 ms made polls twice as slow
# meanwhile: each waits for several turns.
SWITCH_SECONDS = 0.0005
# What is mounted: the APIs, and the pages, which are in no OpenAPI document.
SITES = Surfaces((*SURFACES.all, DASHBOARD))
OPENAPI = Path(__file__).resolve().parents[1] / "openapi"


def create_app(settings: Settings) -> FastAPI:
    """The app with these settings. The server puts the open runtime into its state. Raises Misconfigured."""
    app = FastAPI(
        title="Sluice",
        # A redirect between /imports and /imports/ would break uploads whose body can be sent only once.
        redirect_slashes=False,
        # The native surface has its own routes for the OpenAPI documents.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry=build_telemetry(lambda: app.state.runtime.observe.traces, traced=bool(settings.traces_url)),
        middleware=build_middleware(settings),
    )
    app.state.rendered = RenderedAnswers()
    SITES.mount(app)
    return app


def build_middleware(settings: Settings) -> list[Middleware]:
    """The outermost first. Raises Misconfigured."""
    requests = Middleware(
        RequestMiddleware, render_crash=render_crash, rate_headers=rate_headers, name_surface=name_surface
    )
    # uvicorn's own default believes every caller on this machine, and an address could be forged in the log and for
    # the rate limit.
    proxies = parse_proxies(settings)
    origins = parse_origins(settings)
    return [
        *([Middleware(ProxyHeadersMiddleware, trusted_hosts=proxies)] if proxies else []),
        *([build_cors(origins)] if origins else []),
        *(Middleware(PageHeadersMiddleware, prefix=each) for each in DASHBOARD.prefixes),
        requests,
        Middleware(NulMiddleware, render=SITES.render),
        *(Middleware(SameOriginMiddleware, prefix=each, render=DASHBOARD.render) for each in DASHBOARD.prefixes),
    ]


def build_cors(origins: list[str]) -> Middleware:
    """Answers preflights, which have no key, and lets pages of these origins read answers, errors too. Keys are sent in
    headers, so cookies are not allowed."""
    counted = (name for surface in SURFACES.all for name in surface.rate_headers(Allowance(1, 0, 0, 1)))
    return Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=["*"],
        expose_headers=sorted({*EXPOSED, *counted}),
    )


def render_crash(request: Request, request_id: str) -> Response:
    return SITES.render(internal_error(request_id), request)


def rate_headers(request: Request, allowance: Allowance) -> Mapping[str, str]:
    return SITES.find(request).rate_headers(allowance)


def name_surface(request: Request) -> str:
    return SITES.find(request).name


def write_openapi(folder: Path) -> None:
    """Writes one OpenAPI document per surface. The committed documents must be equal to them."""
    folder.mkdir(parents=True, exist_ok=True)
    for surface in SURFACES.all:
        text = json.dumps(build_openapi(surface), indent=2, ensure_ascii=False)
        (folder / f"{surface.name}.json").write_text(text + "\n")


class ApiServer(uvicorn.Server):
    """uvicorn's server, except that it does not raise the signal again that has stopped it: more is to be closed."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()


Build = Callable[[Settings], FastAPI]


async def serve(
    settings: Settings, *, host: str, port: int, build: Build = create_app, search_path: str = "public"
) -> None:
    """Serves until SIGTERM. Uploads in progress have SLUICE_SHUTDOWN_SECONDS to finish. Raises CannotListen, and what
    `create_app` and `open_runtime` raise."""
    sys.setswitchinterval(SWITCH_SECONDS)
    app = build(settings)
    proxies = [ip_network(each) for each in parse_proxies(settings)]
    connections = Connections(build_connection_limits(settings.database_pool), proxies)
    config = uvicorn.Config(
        app,
        http=build_protocol(connections),
        ws="none",  # there are no web sockets
        timeout_keep_alive=ServerLimits().keep_alive_seconds,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # see build_middleware
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )
    sockets = open_sockets(host, port)
    async with open_runtime(settings, search_path=search_path) as runtime:
        app.state.runtime = runtime
        url = f"http://{join_port(host, sockets[0].getsockname()[1])}"
        runtime.observe(ProcessStarted("api", os.getpid(), url))
        print(f"sluice: listening on {url}", flush=True)
        await ApiServer(config).serve(sockets)
        runtime.observe(ProcessStopped("api", os.getpid()))


def main(host: str, port: int) -> int:
    """Returns the exit code: 0 after a signal, 1 if a server or the port is missing, 2 for a wrong setting."""
    return run_process(partial(serve, host=host, port=port))


if __name__ == "__main__":
    # `sluice api` becomes this process, which does not load the command line: it would take 25 MB.
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
