"""Middleware that lets requests go wrong as the faults say, before any route sees them."""

import asyncio
from collections.abc import Callable
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.emulator.faults import REQUEST_FAULTS, Fault, load_faults, take_due
from app.web.failures import Failure
from app.web.requests import get_runtime

# Paths that no fault concerns: who has set a fault must be able to take it back.
OWN: Final = ("/emulator", "/healthz", "/readyz", "/metrics")


class FaultsMiddleware:
    """Innermost, so that what it answers is logged and has the headers of any answer. `render` makes it in the words of
    the surface."""

    def __init__(self, app: ASGIApp, render: Callable[[Failure, Request], Response]) -> None:
        self.app = app
        self.render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        due = await find_due(scope) if scope["type"] == "http" and not scope["path"].startswith(OWN) else []
        for fault in due:
            if fault.fault == "slow":
                await asyncio.sleep(fault.seconds)
            else:
                await self.render(failure_of(fault), Request(scope))(scope, receive, send)
                return
        await self.app(scope, receive, send)


async def find_due(scope: Scope) -> list[Fault]:
    database = get_runtime(scope).database
    stored = await load_faults(database)
    return list(
        await take_due(database, [each for each in stored if each.fault.fits_request(scope["method"], scope["path"])])
    )


def failure_of(fault: Fault) -> Failure:
    waits = fault.fault != "internal_error"
    detail = next(text for name, text in REQUEST_FAULTS.items() if name == fault.fault)
    return Failure(fault.fault, detail, retry_after=fault.retry_after if waits else None)
