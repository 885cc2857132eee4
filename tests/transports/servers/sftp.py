"""An SFTP server: asyncssh in this process, with a password, a key, faults, and a memory for what it was shown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncssh
from pydantic import SecretStr

from app.transports.transport import Remote
from tests.transports.servers.disk import FilesOnDisk
from tests.transports.servers.server import PASSWORD, RIGHTS, USER


@dataclass
class Faults:
    """What the server does wrong, and what it was shown."""

    left: int = 0  # bytes of files until `fault`
    fault: str = ""  # "cut" or "stall"; "turn": whatever `on_turn` does happens between two reads
    on_turn: Any = None
    pause: float = 0  # seconds before each block
    largest: int = 2**30  # bytes given at a time, though more were asked for
    renames_over: bool = True
    broken_rename: int = 0  # the one that fails, counted from 1
    rights: frozenset[str] = RIGHTS
    passwords: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    connections: int = 0
    curt: bool = False  # it ends a connection without saying why, as OpenSSH and Paramiko do


class Door(asyncssh.SSHServer):
    """Lets the user in with the password or the key."""

    def __init__(self, faults: Faults, key: asyncssh.SSHKey) -> None:
        self.faults = faults
        self.key = key

    def connection_made(self, connection: asyncssh.SSHServerConnection) -> None:
        self.faults.connections += 1
        if self.faults.curt:
            connection._send_disconnect = lambda *_: None

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self.faults.passwords.append(password)
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self.faults.keys.append(key.get_fingerprint())
        return username == USER and key.public_data == self.key.public_data


class Files(asyncssh.SFTPServer):
    """A folder, served as the faults have it."""

    def __init__(self, channel: Any, folder: Path, faults: Faults) -> None:
        super().__init__(channel, chroot=str(folder).encode())
        self.faults = faults

    async def read(self, file_obj: Any, offset: int, size: int) -> bytes:
        faults = self.faults
        if faults.pause:
            await asyncio.sleep(faults.pause)
        size = min(size, faults.largest)
        if faults.fault:
            faults.left -= size
        if faults.left < 0:
            faults.left, fault, faults.fault = 0, faults.fault, ""
            if fault == "cut":
                self.channel.get_connection().abort()
            if fault == "stall":
                await self.channel.get_connection().wait_closed()
            if fault == "turn":
                await faults.on_turn()
        return super().read(file_obj, offset, size)

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
        self._require("read" if pflags & asyncssh.FXF_READ else "write")
        return super().open(path, pflags, attrs)

    def stat(self, path: bytes) -> Any:
        self._require("read")
        return super().stat(path)

    def scandir(self, path: bytes) -> Any:
        self._require("read")
        return super().scandir(path)

    def remove(self, path: bytes) -> None:
        self._require("delete")
        super().remove(path)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._require("write")
        self.faults.broken_rename -= 1
        if self.faults.broken_rename == 0:
            raise asyncssh.SFTPFailure("not now")
        super().rename(oldpath, newpath)

    def _require(self, right: str) -> None:
        if right not in self.faults.rights:
            raise asyncssh.SFTPPermissionDenied("no")

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._require("write")
        if not self.faults.renames_over:
            raise asyncssh.SFTPOpUnsupported("not here")
        super().posix_rename(oldpath, newpath)


class SftpServer(FilesOnDisk):
    """A running server as the conformance tests want it."""

    secure = False  # it has no certificate

    def __init__(self, folder: Path, port: int, faults: Faults, keys: "Keys") -> None:
        super().__init__(folder)
        self.faults = faults
        self.keys = keys
        self.remote = Remote(
            "sftp",
            "127.0.0.1",
            port,
            user=USER,
            password=SecretStr(PASSWORD),
            options={"host_key": keys.hosts[0].get_fingerprint()},
        )

    async def clear(self) -> None:
        await super().clear()
        self.faults.__init__()

    def permit(self, *rights: str) -> None:
        self.faults.rights = frozenset(rights)

    def unwelcome(self) -> Remote:
        return replace(self.remote, password=SecretStr("wrong"))

    def at(self, port: int) -> Remote:
        return replace(self.remote, port=port)

    def cut_after(self, size: int) -> None:
        self.faults.left, self.faults.fault = size, "cut"

    def stall_after(self, size: int) -> None:
        self.faults.left, self.faults.fault = size, "stall"


@dataclass
class Keys:
    """The server's host keys, and the key of its user."""

    hosts: list[asyncssh.SSHKey] = field(
        default_factory=lambda: [asyncssh.generate_private_key("ssh-ed25519", comment="host")]
    )
    user: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))


@asynccontextmanager
async def sftp_server(keys: Keys | None = None, **algorithms: list[str]) -> AsyncIterator[SftpServer]:
    """`algorithms` are what it offers, by asyncssh's names: `kex_algs`, `encryption_algs`, `mac_algs`."""
    keys = keys or Keys()
    faults = Faults()
    with TemporaryDirectory() as folder:
        home = Path(folder, "home")
        home.mkdir()
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: Door(faults, keys.user),
            server_host_keys=keys.hosts,
            sftp_factory=lambda channel: Files(channel, home, faults),
            **algorithms,
        )
        try:
            yield SftpServer(home, server.get_port(), faults, keys)
        finally:
            server.close()
            await server.wait_closed()
