"""Limits of the machine that a test can reach: small disks, few open files, short files."""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str = "1m") -> Iterator[Path]:
    """A disk of this size, mounted at the folder. Skips the test where nobody may mount."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as refused:
        pytest.skip(f"This machine lets nobody mount a small disk: {getattr(refused, 'stderr', refused)}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fills the disk to its last byte, and returns the file that takes all the room."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


@contextmanager
def limited(limit: int, soft: int) -> Iterator[None]:
    """This process under a limit of `resource`, such as RLIMIT_NOFILE."""
    before = resource.getrlimit(limit)
    resource.setrlimit(limit, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(limit, before)


@contextmanager
def no_more_files() -> Iterator[None]:
    """This process without a free file descriptor, in which everything that is open goes on."""
    # Not 0: poll(2) refuses to wait for more files than may be open, which ends a server that waits in another thread.
    with limited(resource.RLIMIT_NOFILE, 3):
        yield
