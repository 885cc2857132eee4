"""An app of this process on a real socket, behind the server's own protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from app.web.server.connections import ConnectionLimits, Connections
from app.web.server.protocol import ServerLimits, build_protocol

PLENTY = Connections(ConnectionLimits(1_000, 1_000))


@asynccontextmanager
async def serving(
    app: Any, limits: ServerLimits | None = None, connections: Connections = PLENTY
) -> AsyncIterator[int]:
    """The port on which the app is served, as `app.main` serves it."""
    limits = ServerLimits() if limits is None else limits
    config = uvicorn.Config(
        app,
        port=0,
        http=build_protocol(connections, limits),
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=limits.keep_alive_seconds,
        timeout_graceful_shutdown=1,
    )
    server, listening = uvicorn.Server(config), config.bind_socket()
    running = asyncio.create_task(server.serve([listening]))
    try:
        while not server.started:
            await asyncio.sleep(0.001)
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await running
        listening.close()
