"""`python -m app.emulator HOST PORT`: the API of an emulator."""

import sys
from functools import partial

from fastapi import FastAPI
from starlette.middleware import Middleware

from app.emulator.middleware import FaultsMiddleware
from app.emulator.routes import router
from app.main import SITES, create_app, serve
from app.process import run_process
from app.settings import Settings
from app.storage.emulator.schema import SEARCH_PATH
from app.web.surface import collect_routes


def build_emulator(settings: Settings) -> FastAPI:
    """The app of the service with what only an emulator has. Raises Misconfigured."""
    app = create_app(settings)
    app.router.routes[:0] = collect_routes([router])
    app.user_middleware.append(Middleware(FaultsMiddleware, render=SITES.render))
    return app


def main(host: str, port: int) -> int:
    """Returns the exit code, as app.main does."""
    return run_process(partial(serve, host=host, port=port, build=build_emulator, search_path=SEARCH_PATH))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
