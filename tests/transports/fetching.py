"""Fetches files in a process of its own and says by how much the second one made it grow.

Reads a pickled (place, CA file, small path, large path) from standard input; prints bytes read and growth in KiB.
"""

import asyncio
import hashlib
import pickle
import resource
import ssl
import sys

from app.transports.fetch import fetch
from app.transports.transport import FileInfo
from tests.transports.servers.server import policy


class Counted:
    """Keeps nothing but a count and a digest."""

    def __init__(self) -> None:
        self.size = 0
        self.digest = hashlib.sha256()

    async def begin(self, file: FileInfo) -> None:
        """The bytes are compared as they come."""

    async def write(self, data: bytes) -> None:
        self.size += len(data)
        self.digest.update(data)

    async def start_over(self) -> None:
        self.__init__()


async def main() -> None:
    place, authority, small, large = pickle.load(sys.stdin.buffer)
    trusted = ssl.create_default_context(cafile=authority)
    await fetch(place, small, policy(trusted), Counted())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sink = Counted()
    await fetch(place, large, policy(trusted), sink)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(sink.size, sink.digest.hexdigest(), grown)


if __name__ == "__main__":
    asyncio.run(main())
