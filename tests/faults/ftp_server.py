"""An FTP server in a process of its own, which dies where a test wants it to.

FAULTS_DIE is a command and at which of its occurrences it kills, before it is answered: `MLSD:2` is the second listing.
Besides commands it may be `sent`, when a piece of a file has gone out, and `renamed`, when a file has its new name and
nobody has been told.
"""

import os
import signal
from pathlib import Path
from typing import Any

from tests.transports.servers.ftp import DTPHandler, DummyAuthorizer, FTPHandler, FTPServer
from tests.transports.servers.server import PASSWORD, USER


class Doom:
    """Counts what happens in this process, and kills it when its turn has come."""

    def __init__(self, wanted: str) -> None:
        self.what, _, nth = wanted.partition(":")
        self.left = int(nth or 0)

    def __call__(self, what: str) -> None:
        self.left -= what == self.what
        if self.what == what and self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Data(DTPHandler):
    def use_sendfile(self) -> bool:
        return False

    def send(self, data: bytes) -> int:
        sent = super().send(data[:100])
        self.cmd_channel.doom("sent")
        return sent


class Doomed(FTPHandler):
    dtp_handler = Data
    doom: Doom

    def pre_process_command(self, line: str, command: str, argument: str) -> None:
        self.doom(command)
        super().pre_process_command(line, command, argument)

    def ftp_RNTO(self, path: str) -> Any:  # noqa: N802 - pyftpdlib's way
        if self.doom.what == "renamed":
            Path(self._rnfr).rename(path)
            self.doom("renamed")
        return super().ftp_RNTO(path)


def serve() -> int:
    """Serves FAULTS_HOME at FAULTS_PORT until it is killed."""
    users = DummyAuthorizer()
    users.add_user(USER, PASSWORD, os.environ["FAULTS_HOME"], perm="elrwfd")
    Doomed.authorizer, Doomed.doom = users, Doom(os.environ["FAULTS_DIE"])
    FTPServer(("127.0.0.1", int(os.environ["FAULTS_PORT"])), Doomed).serve_forever()
    return 0
