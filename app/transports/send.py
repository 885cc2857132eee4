"""Sends a file over any protocol: one try, within limits, after the remains of an earlier one were deleted."""

from collections.abc import AsyncIterator
from contextlib import suppress

from app.transports import connect
from app.transports.failed import TransportFailed
from app.transports.transport import Begun, Remote, TransferPolicy, time_limit


async def send(
    remote: Remote,
    path: str,
    policy: TransferPolicy,
    data: AsyncIterator[bytes],
    begun: Begun,
    *,
    remains: str | None = None,
) -> int:
    """Stores a file at the remote and returns its size. `remains` is what `begun` was told in a try that was killed.

    Raises TransportFailed, also after `total_seconds`.
    """
    async with (
        time_limit(policy.total_seconds, "slow_writing"),
        time_limit(policy.opening_seconds, "no_answer") as opening,
        connect(remote, policy) as transport,
    ):
        if remains is not None:
            # What cannot be deleted is left: every try has a name of its own.
            with suppress(TransportFailed):
                await transport.discard(path, remains)
        opening.reschedule(None)
        return await transport.put(path, data, begun)
