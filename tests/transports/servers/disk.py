"""Files of a test server that serves a folder of this machine."""

import os
from datetime import datetime
from pathlib import Path
from shutil import rmtree


class FilesOnDisk:
    """The files of a server that serves a folder, behind its back."""

    patterns = True
    writes = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def store(self, name: str, data: bytes, modified: datetime | None = None) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.folder.with_name("beside")
        beside.write_bytes(data)
        if modified:
            os.utime(beside, (modified.timestamp(), modified.timestamp()))
        beside.replace(path)

    async def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    async def stored(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    async def names(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}

    async def clear(self) -> None:
        for path in self.folder.iterdir():
            if path.is_dir():
                rmtree(path)
            else:
                path.unlink()
