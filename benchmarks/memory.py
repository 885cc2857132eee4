"""Peak memory of the worker and of the API, as Linux keeps it for every process."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.service import Service

MOST_WORKER: Final = 160  # megabytes
MOST_API: Final = 110


@dataclass(frozen=True, slots=True)
class Peaks:
    """The most that was in memory at once since the last reset, in megabytes."""

    worker: float
    api: float

    def __str__(self) -> str:
        return f"worker {self.worker:.0f} MB, API {self.api:.0f} MB"


def reset(service: Service) -> None:
    """Sets the peak back to what is in memory now; writing 5 is how Linux is asked to."""
    for part in ("worker-1", "api"):
        Path(f"/proc/{service.pid(part)}/clear_refs").write_text("5")


def peaks(service: Service) -> Peaks:
    return Peaks(worker=peak(service.pid("worker-1")), api=peak(service.pid("api")))


def peak(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    if found is None:
        raise LookupError(f"the system does not say how much memory process {pid} has used")
    return int(found[1]) * 1024 / 1e6
