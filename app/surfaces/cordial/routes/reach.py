"""A look at the source while its import is asked for: whoever named a wrong one hears of it at once."""

from dataclasses import replace
from typing import Final

from app.connections.pull import Pull
from app.errors import Complaint, Refused
from app.surfaces.cordial.vocabulary import NO_STORAGE
from app.transports import connect
from app.transports.failed import TransportFailed
from app.transports.transport import Terms, time_limit
from app.transports.url import DEFAULT_PORTS
from app.web.surface import shorten

SECONDS: Final = 5


async def ensure_reachable(pull: Pull, terms: Terms) -> None:
    """Of a web address only whether it may be called: the rest is the job's, which also tries again. Raises
    Refused("invalid")."""
    place = pull.remote
    port = place.port or DEFAULT_PORTS[place.scheme]
    web = place.scheme in ("http", "https")
    try:
        async with time_limit(SECONDS, "no_answer"):
            if web:
                await terms.guard.resolve(place.host, port)
            else:
                await look(pull, replace(terms, connect_seconds=SECONDS))
    except TransportFailed as failed:
        if web and failed.transient:
            return
        told = spelled(pull, port, failed)
        raise Refused("invalid", told, [Complaint("source", told)], facts={"errorKey": NO_STORAGE}) from None


async def look(pull: Pull, terms: Terms) -> None:
    async with connect(pull.remote, terms) as transport:
        await transport.stat(pull.path)


def spelled(pull: Pull, port: int, failed: TransportFailed) -> str:
    """In the vendor's words, and ours behind them."""
    if failed.step == "authenticate":
        return "Login failed."
    if failed.step == "find":
        return f"Invalid file path '{shorten(pull.path)}'. {failed.detail}"
    server = pull.remote.host or pull.remote.text("bucket")
    return f"Unable to open connection to {shorten(server)} : {port}. {failed.detail}"
