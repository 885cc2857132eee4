"""Stylesheet and scripts: read once, served under a name that holds the hash of what is in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "static"
MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as browsers get it."""

    name: str  # app.1f2e3d4c5b6a.css
    content: bytes
    media_type: str


def read_static_files(folder: Path = FOLDER) -> dict[str, StaticFile]:
    """All files of the folder by their plain names."""
    return {path.name: read_static_file(path) for path in sorted(folder.iterdir()) if path.suffix in MEDIA_TYPES}


def read_static_file(path: Path) -> StaticFile:
    content = path.read_bytes()
    return StaticFile(f"{path.stem}.{sha256(content).hexdigest()[:12]}{path.suffix}", content, MEDIA_TYPES[path.suffix])


STATIC_FILES: Final[Mapping[str, StaticFile]] = read_static_files()


def static_path(name: str) -> str:
    """The address of a file by its plain name. Raises KeyError."""
    return f"/app/static/{STATIC_FILES[name].name}"
