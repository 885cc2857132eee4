"""Files that commands read or write: JSON to send, and what is downloaded."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import httpx
import msgspec

from app.cli.client.failures import RequestFailed, request_failed
from app.cli.client.http import stream
from app.cli.client.printing import escape_control_characters

STANDARD_INPUT: Final = Path("-")
STANDARD_OUTPUT: Final = STANDARD_INPUT  # both are called `-`


def read_json_file(path: Path) -> dict[str, object]:
    """The JSON object in a file, or in standard input for `-`. Raises RequestFailed."""
    return parse_object(path, read_content(path))


def read_json_text(path: Path) -> bytes:
    """The same as it is written: its numbers keep their digits. Raises RequestFailed."""
    content = read_content(path)
    parse_object(path, content)
    return content


def read_content(path: Path) -> bytes:
    """Raises RequestFailed."""
    try:
        return sys.stdin.buffer.read() if path == STANDARD_INPUT else path.read_bytes()
    except OSError as error:
        detail = f"The file {path} cannot be read: {error.strerror or error}"
        raise request_failed("The file cannot be read", detail) from error


def parse_object(path: Path, content: bytes) -> dict[str, object]:
    """Raises RequestFailed."""
    try:
        return msgspec.json.decode(content, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        name = "Standard input" if path == STANDARD_INPUT else f"The file {path}"
        raise request_failed("The file is not JSON", f"{name} must hold a JSON object: {error}") from error


def download(client: httpx.Client, path: str, output: Path | None) -> None:
    """Writes what is at a path of the service to a file, whole or not at all, or to stdout. Raises RequestFailed."""
    with stream(client, path) as response:
        if output is not None:
            save(response, output)
        elif sys.stdout.isatty():
            for line in response.iter_lines():
                print(escape_control_characters(line.removeprefix("\ufeff")))
        else:
            for chunk in response.iter_bytes():
                sys.stdout.buffer.write(chunk)


def refuse_unwritable(output: Path | None) -> None:
    """Raises RequestFailed for a file that cannot be written, before the service has done work for it."""
    if output is None or output == STANDARD_OUTPUT:
        return
    if output.is_dir():
        raise cannot_write(output, "It is a folder")
    if not output.parent.is_dir():
        raise cannot_write(output, "Its folder does not exist")


def cannot_write(output: Path, reason: str) -> RequestFailed:
    return request_failed("The file cannot be written", f"The file {output} cannot be written: {reason}")


def save(response: httpx.Response, output: Path) -> None:
    try:
        with replacing(output) as written:
            for chunk in response.iter_bytes():
                written.write(chunk)
    except OSError as error:
        raise cannot_write(output, error.strerror or str(error)) from error


@contextmanager
def replacing(output: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of `output` when it is complete: one that is cut off could be taken for whole.
    A device or a pipe is written to: in its place a file would be no use, and root would replace even /dev/null."""
    if output.exists() and not output.is_file():
        with output.open("wb") as written:
            yield written
        return
    part = output.with_name(f".{output.name}.part")
    try:
        with part.open("wb") as written:
            yield written
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
