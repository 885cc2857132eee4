"""Installs each peer into a folder of its own, by the name of its packages; what cannot be had is a gap."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.floor import program
from benchmarks.peers.programs import Program

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".cache" / "peers"
UV = Path(sys.executable).with_name("uv")
SECONDS = 600.0


class Gap(Exception):
    """A peer that cannot be installed or started here; the message says why."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A peer that can be run: the folder of its commands, and its version."""

    program: Program
    folder: Path
    version: str


def install(peer: Program) -> Installed:
    """Raises Gap."""
    folder = KEPT / peer.table
    if peer.debian:
        return unpacked(peer, folder)
    if not peer.packages:
        return Installed(peer, folder, told([program(), "--version"]).split()[-1])
    if not (folder / "bin" / "python").exists():
        told([str(UV), "venv", "-q", str(folder)])
    print(f"Installing {', '.join(peer.packages)} into {folder.relative_to(ROOT)}")
    python = str(folder / "bin" / "python")
    told([str(UV), "pip", "install", "-q", "--python", python, *peer.packages])
    name = peer.packages[0].partition("=")[0].partition("[")[0]
    asked = f"from importlib.metadata import version; print(version({name!r}))"
    return Installed(peer, folder / "bin", told([python, "-c", asked]))


def unpacked(peer: Program, folder: Path) -> Installed:
    """The program of Debian; if the system has none, its package is unpacked into the folder, and not installed."""
    found = shutil.which(peer.name)
    if not found:
        if not shutil.which("apt-get"):
            raise Gap(f"{peer.debian} is a package of Debian, and there is no apt-get")
        folder.mkdir(parents=True, exist_ok=True)
        if not list(folder.glob("*.deb")):
            print(f"Unpacking Debian's {peer.debian} into {folder.relative_to(ROOT)}")
            told(["apt-get", "-q", "download", peer.debian], folder)
        told(["dpkg", "-x", str(next(folder.glob("*.deb"))), str(folder)])
    path = Path(found) if found else folder / "usr" / "bin" / peer.name
    version = told([str(path), "--version"]).splitlines()[0]
    of_debian = "" if found else f" (Debian {next(folder.glob('*.deb')).name.split('_')[1]})"
    return Installed(peer, path.parent, version.rpartition("version")[2].strip(' "') + of_debian)


def told(command: Sequence[str], folder: Path = ROOT) -> str:
    """What a command prints. Raises Gap with its last line if it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Gap(f"{Path(command[0]).name}: {error}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["nothing"]
        raise Gap(f"{Path(command[0]).name} ended with {done.returncode} and said: {lines[-1]}")
    return done.stdout.strip()
