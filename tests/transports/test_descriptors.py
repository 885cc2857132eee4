"""A worker without a free file descriptor: the server that it wants to call is not to blame."""

from collections.abc import Callable

import pytest

from app.transports.fetch import connect
from app.transports.guard import Exhausted
from app.transports.transport import TransferPolicy
from tests.support.limits import no_more_files
from tests.transports.servers.server import Server


async def test_a_transfer_without_a_free_file_descriptor_does_not_blame_the_source(
    server: Server, patient: Callable[..., TransferPolicy]
) -> None:
    await server.store("contacts.csv", b"_email\n")
    async with connect(server.remote, patient()) as transport:  # loads what it needs
        await transport.stat("contacts.csv")
    with no_more_files(), pytest.raises(Exhausted, match="ulimit -n"):
        async with connect(server.remote, patient()) as transport:
            await transport.stat("contacts.csv")
