"""The data folder of one instance: its lock, its secrets, and the files of its servers."""

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

from app.embedded.errors import DataFolderInUse, InstanceNotRunning, StartFailed
from app.embedded.processes import find_live_process, read_pid, record_pid
from app.embedded.system_user import SystemUser, can_reach, find_server_user
from app.observe.logs import log
from app.observe.process_events import ServersKeptElsewhere

# Folders that survive a reboot, for server files that the unprivileged user could not reach otherwise.
SYSTEM_FOLDERS = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108  for a private folder of our own


@dataclass(frozen=True, slots=True)
class InstanceSecrets:
    """Created once for a data folder and kept in it: two passwords, and the pepper of API keys."""

    postgres: str
    valkey: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A data folder that this process has locked."""

    data: Path
    servers: Path  # the files of the servers; may be elsewhere, see _find_servers_folder
    user: SystemUser | None
    secrets: InstanceSecrets

    def pid_file(self, name: str) -> Path:
        """Where the process id of a part is kept."""
        return self.data / f"{name}.pid"

    def log_file(self, name: str) -> Path:
        return self.data / f"{name}.log"

    def make_private(self, path: Path) -> None:
        """Creates a folder that belongs to the servers' user alone."""
        path.mkdir(mode=0o700, exist_ok=True)
        self.hand_over(path)

    def hand_over(self, path: Path) -> None:
        if self.user:
            os.chown(path, self.user.uid, self.user.gid)


@dataclass(frozen=True, slots=True)
class Instance:
    """The addresses and the secret key of a running instance, for other commands."""

    pid: int
    api_url: str
    database_url: str
    redis_url: str
    secret_key: str


@contextmanager
def lock_data_folder(data: Path, *, with_servers: bool = True) -> Iterator[DataFolder]:
    """Locks the data folder and creates it if necessary. Raises DataFolderInUse, StartFailed."""
    user = find_server_user() if with_servers else None
    data = data.absolute()
    _make_folder(data, user)
    data = data.resolve()
    with _hold_lock(data):
        servers = _find_servers_folder(data, user) if with_servers else data
        yield DataFolder(data, servers, user, _load_secrets(data))


def delete_data_folder(data: Path) -> None:
    """Deletes a data folder that nobody uses, and the server files that are kept elsewhere."""
    with lock_data_folder(data) as data_folder:
        shutil.rmtree(data_folder.servers)
    shutil.rmtree(data)


def publish_instance(data_folder: DataFolder, instance: Instance) -> None:
    _write_private(data_folder.data / "instance.json", json.dumps(asdict(instance)))


def find_running_instance(data: Path) -> Instance:
    """The instance that uses the data folder now. Raises InstanceNotRunning."""
    if find_live_process(data / "lock") is None:
        raise InstanceNotRunning(f"No instance runs on {data}. Start one with: sluice up --data {data}")
    try:
        return Instance(**json.loads((data / "instance.json").read_text()))
    except FileNotFoundError:
        raise InstanceNotRunning(f"The instance on {data} is still starting. Try again in a moment") from None


def _make_folder(folder: Path, user: SystemUser | None) -> None:
    """Creates a folder that the servers' user may enter. The files in it are private one by one."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True)
    folder.chmod(0o711 if user else 0o700)


@contextmanager
def _hold_lock(data: Path) -> Iterator[None]:
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = f"{data} is in use by process {read_pid(data / 'lock')}: Sluice runs there already"
            raise DataFolderInUse(told) from None
        record_pid(data / "lock", os.getpid())
        (data / "instance.json").unlink(missing_ok=True)
        yield
        (data / "instance.json").unlink(missing_ok=True)
    finally:
        # Closing releases the lock. The file stays: if it were deleted, two processes could lock two files of one name.
        os.close(descriptor)


def _load_secrets(data: Path) -> InstanceSecrets:
    path = data / "secrets.json"
    if not path.exists():
        fresh = InstanceSecrets(*(secrets.token_urlsafe(24) for _ in range(3)))
        _write_private(path, json.dumps(asdict(fresh)))
    return InstanceSecrets(**json.loads(path.read_text()))


def _write_private(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def _find_servers_folder(data: Path, user: SystemUser | None) -> Path:
    """`DATA/servers`; a link to a system folder if the servers' user cannot reach DATA. Raises StartFailed."""
    folder = data / "servers"
    if not folder.is_dir():
        if user is None or can_reach(data, user):
            folder.unlink(missing_ok=True)
            _make_folder(folder, user)
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
            log(ServersKeptElsewhere(str(link.parent), str(elsewhere)))
            return
    raise StartFailed(f"The user that runs the servers cannot reach {link.parent}. Choose another folder with --data")
