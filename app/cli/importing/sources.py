"""The file to send: one on this machine, or a stream such as standard input, which is read as it is sent."""

import io
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from typing import Any, BinaryIO

from app.cli.client.failures import request_failed
from app.cli.client.files import STANDARD_INPUT

OnRead = Callable[[int, int | None], None]  # bytes that were read, and the length if it is known


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that is open for sending. `length` is None for a stream, which can be sent once."""

    stream: Any  # httpx only reads it, and rewinds what has a length
    name: str
    length: int | None

    @property
    def media_type(self) -> str:
        return "application/x-ndjson" if Path(self.name).suffix in {".jsonl", ".ndjson"} else "text/csv"


class MeteredFile(io.FileIO):
    """A file that reports how much of it has been read."""

    def __init__(self, path: Path | int, on_read: OnRead) -> None:
        super().__init__(path, closefd=not isinstance(path, int))
        self._on_read = on_read
        self.length = self.seek(0, io.SEEK_END)
        self.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(-1 if size is None else size) or b""
        self._on_read(self.tell(), self.length)
        return chunk


class MeteredStream:
    """A stream that reports how much of it has been read. It can only be read: httpx would take the size of a pipe, 0,
    for the length of what comes."""

    def __init__(self, stream: BinaryIO, on_read: OnRead) -> None:
        self._stream = stream
        self._on_read = on_read
        self._done = 0

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._stream.read(size)
        self._done += len(chunk)
        self._on_read(self._done, None)
        return chunk


@contextmanager
def open_file(path: Path, name: str, on_read: OnRead, *, again: bool) -> Iterator[OpenFile]:
    """Opens the file, or standard input for `-`. With `again` a stream is kept in a temporary file first, so that it
    can be sent more than once. Raises RequestFailed if the file cannot be read, now or while it is sent."""
    try:
        with ExitStack() as opened:
            if path != STANDARD_INPUT and not is_stream(path):
                file = opened.enter_context(MeteredFile(path, on_read))
                yield OpenFile(file, name or path.name, file.length)
                return
            stream = sys.stdin.buffer if path == STANDARD_INPUT else opened.enter_context(path.open("rb"))
            name = name or ("stdin" if path == STANDARD_INPUT else path.name)
            if not again:
                yield OpenFile(MeteredStream(stream, on_read), name, None)
                return
            kept = opened.enter_context(tempfile.TemporaryFile())
            copyfileobj(stream, kept)
            kept.flush()
            file = opened.enter_context(MeteredFile(kept.fileno(), on_read))
            yield OpenFile(file, name, file.length)
    except OSError as error:
        detail = f"The file {path} cannot be read: {error.strerror or error}"
        raise request_failed("The file cannot be read", detail) from error


def is_stream(path: Path) -> bool:
    """Whether this is a pipe or a device, such as `<(…)` of a shell. Raises OSError."""
    mode = path.stat().st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
