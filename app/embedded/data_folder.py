"""The data folder of one instance: who holds it, its secrets, and where its servers keep their files."""

import fcntl
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from app.embedded.account import Account, can_reach, servers_account
from app.embedded.errors import CannotStart, InUse, NotRunning
from app.embedded.processes import left_over, recorded, remember

# Folders that outlive a restart of the machine, for data that the unprivileged account cannot reach otherwise.
SYSTEM_FOLDERS = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 – for a private folder of our own


@dataclass(frozen=True, slots=True)
class Secrets:
    """Made once for a data folder and kept in it: two passwords, and the pepper of the API keys."""

    postgres: str
    valkey: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A data folder that is ours until its lock is let go."""

    data: Path
    servers: Path
    account: Account | None
    secrets: Secrets

    def record(self, name: str) -> Path:
        """Where the process id of a part is kept."""
        return self.data / f"{name}.pid"

    def log(self, name: str) -> Path:
        return self.data / f"{name}.log"

    def make_private(self, path: Path) -> None:
        """A folder that belongs to the servers' account alone."""
        path.mkdir(mode=0o700, exist_ok=True)
        self.hand_over(path)

    def hand_over(self, path: Path) -> None:
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)


@dataclass(frozen=True, slots=True)
class Instance:
    """Where a running instance is, for commands that run beside it."""

    pid: int
    api_url: str
    database_url: str
    redis_url: str
    secret_key: str


@contextmanager
def claim(data: Path, *, with_servers: bool = True) -> Iterator[DataFolder]:
    """Hold the data folder, which is made if it is not there. Raises InUse."""
    account = servers_account() if with_servers else None
    data = data.absolute()
    _make_folder(data, account)
    data = data.resolve()
    with _locked(data):
        servers = _servers_folder(data, account) if with_servers else data
        yield DataFolder(data, servers, account, _secrets(data))


def discard(data: Path) -> None:
    """Remove a data folder that nobody uses, and what of it was kept elsewhere."""
    with claim(data) as place:
        shutil.rmtree(place.servers)
    shutil.rmtree(data)


def publish(place: DataFolder, instance: Instance) -> None:
    _write_private(place.data / "instance.json", json.dumps(asdict(instance)))


def running_instance(data: Path) -> Instance:
    """The instance that holds the data folder now. Raises NotRunning."""
    if left_over(data / "lock") is None:
        raise NotRunning(f"nothing runs on {data}; start it with: sluice up --data {data}")
    try:
        return Instance(**json.loads((data / "instance.json").read_text()))
    except FileNotFoundError:
        raise NotRunning(f"the instance on {data} is still starting; try again in a moment") from None


def _make_folder(folder: Path, account: Account | None) -> None:
    """Make a folder of our own. The account may pass through it; the files in it are private one by one."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True)
    folder.chmod(0o711 if account else 0o700)


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"{data} is in use by process {recorded(data / 'lock')}") from None
        remember(data / "lock", os.getpid())
        (data / "instance.json").unlink(missing_ok=True)
        yield
        (data / "instance.json").unlink(missing_ok=True)
    finally:
        # Closing lets the lock go. The file stays: removing it would let two owners lock two files of one name.
        os.close(descriptor)


def _secrets(data: Path) -> Secrets:
    path = data / "secrets.json"
    if not path.exists():
        fresh = Secrets(*(secrets.token_urlsafe(24) for _ in range(3)))
        _write_private(path, json.dumps(asdict(fresh)))
    return Secrets(**json.loads(path.read_text()))


def _write_private(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def _servers_folder(data: Path, account: Account | None) -> Path:
    """`DATA/servers`, which is a link to a system folder where the account cannot reach DATA."""
    folder = data / "servers"
    if not folder.is_dir():
        if account is None or can_reach(data, account):
            folder.unlink(missing_ok=True)
            _make_folder(folder, account)
        else:
            _link_to_system_folder(folder)
    return folder.resolve()


def _link_to_system_folder(link: Path) -> None:
    for parent in SYSTEM_FOLDERS:
        if os.access(parent, os.W_OK):
            elsewhere = Path(tempfile.mkdtemp(prefix="sluice-", dir=parent))
            elsewhere.chmod(0o711)
            link.unlink(missing_ok=True)
            link.symlink_to(elsewhere)
            structlog.get_logger().warning("servers_kept_elsewhere", data=str(link.parent), servers=str(elsewhere))
            return
    raise CannotStart(f"the account of the servers cannot reach {link.parent}; choose another folder with --data")
