"""The service that is measured: started as a user would start it, with a data folder of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.cli.demo import make_key, running_service
from app.embedded import Instance, delete_data_folder, find_running_instance
from app.embedded.processes import find_live_process


@dataclass(frozen=True, slots=True)
class Service:
    """A running service with one API process and one worker."""

    data: Path
    instance: Instance

    def key(self, account: str) -> str:
        """Makes an account, if it is new, and a key for it."""
        return make_key(self.data, account)

    def pid(self, part: str) -> int:
        """The process of a part, `api` or `worker-1`, as it was written down when it was started."""
        found = find_live_process(self.data / f"{part}.pid")
        if found is None:
            raise LookupError(f"the service's part {part} does not run")
        return found


@contextmanager
def started(work: Path) -> Iterator[Service]:
    """A fresh service, stopped and removed at the end of the block."""
    data = work / "data"
    try:
        # Requests are counted, as in production, but never too many. A hostile account pulls from this machine, and
        # webhooks are received on it.
        here = {"SLUICE_ALLOW_NETWORKS": "127.0.0.0/8", "SLUICE_WEBHOOK_HTTP": "true"}
        with running_service(data, SLUICE_RATE_LIMIT="1000000/second", **here):
            yield Service(data, find_running_instance(data))
    finally:
        if data.exists():
            delete_data_folder(data)


@contextmanager
def work_folder() -> Iterator[Path]:
    """The folder for all that is made here; removed at the end."""
    work = Path(__file__).with_name(".work")
    if (work / "data").exists():
        delete_data_folder(work / "data")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    # Root runs PostgreSQL as another account, which must be able to walk in; the data folder guards itself.
    work.chmod(0o711)
    try:
        yield work
    finally:
        shutil.rmtree(work)
