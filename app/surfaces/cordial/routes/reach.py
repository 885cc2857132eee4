"""Looks for the file while the request waits, so that the caller hears at once of a source that cannot work."""

from dataclasses import replace
from typing import Final

from app.connections.pull import Pull
from app.errors import Complaint, Refused, shorten_name
from app.surfaces.cordial.vocabulary import STORAGE_ERROR
from app.transports import connect
from app.transports.failed import TransportFailed
from app.transports.transport import TransferPolicy, time_limit
from app.transports.url import DEFAULT_PORTS

SECONDS: Final = 5  # for the whole look


async def ensure_reachable(pull: Pull, policy: TransferPolicy) -> None:
    """Looks for the file. For http and https it only checks that the server may be called: the job does the rest, and
    tries again if it has to. Raises Refused("invalid")."""
    remote = pull.remote
    port = remote.port or DEFAULT_PORTS[remote.scheme]
    web = remote.scheme in ("http", "https")
    try:
        async with time_limit(SECONDS, "no_answer"):
            if web:
                await policy.guard.resolve(remote.host, port)
            else:
                await find_file(pull, replace(policy, connect_seconds=SECONDS))
    except TransportFailed as failed:
        if web and failed.transient:
            return
        reason = describe_failure(pull, port, failed)
        raise Refused("invalid", reason, [Complaint("source", reason)], facts={"errorKey": STORAGE_ERROR}) from None


async def find_file(pull: Pull, policy: TransferPolicy) -> None:
    async with policy.turn_to_call(), connect(pull.remote, policy) as transport:
        await transport.stat(pull.path)


def describe_failure(pull: Pull, port: int, failed: TransportFailed) -> str:
    """In the vendor's words, followed by ours."""
    if failed.step == "authenticate":
        return "Login failed."
    if failed.step == "find":
        return f"Invalid file path '{shorten_name(pull.path)}'. {failed.detail}"
    server = pull.remote.host or pull.remote.text("bucket")
    return f"Unable to open connection to {shorten_name(server)} : {port}. {failed.detail}"
