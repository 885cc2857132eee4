"""ZIP files as programs write them and as nobody does, put together byte by byte."""

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from struct import pack

UTF8 = 0x800


def zip_of(files: Mapping[str, bytes], **options: int) -> bytes:
    """As Python's own module writes it, with the date of the format's first day: the same bytes at any time, because
    tests are named after them. `options` are those of ZipFile."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", **options) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content, compress_type=archive.compression)
    return made.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An entry of which everything may be a lie."""

    name: bytes
    content: bytes = b"content"
    method: int = 0
    flags: int = 0
    mode: int = 0  # as Unix has it
    packed: bytes | None = None  # instead of what the method makes of the content
    size: int | None = None
    packed_size: int | None = None
    crc: int | None = None
    start: int | None = None
    extra: bytes = b""

    @property
    def stored(self) -> bytes:
        return self.packed if self.packed is not None else deflate(self.content) if self.method == 8 else self.content

    @property
    def sizes(self) -> tuple[int, int, int]:
        crc = zlib.crc32(self.content) if self.crc is None else self.crc
        packed = len(self.stored) if self.packed_size is None else self.packed_size
        return crc, packed, len(self.content) if self.size is None else self.size

    def local(self) -> bytes:
        head = (20, self.flags, self.method, 0, 33, *self.sizes, len(self.name), 0)
        return pack("<4s5H3L2H", b"PK\x03\x04", *head) + self.name + self.stored

    def listed(self, start: int) -> bytes:
        head = (0x314, 20, self.flags, self.method, 0, 33, *self.sizes, len(self.name), len(self.extra), 0, 0, 0)
        at = start if self.start is None else self.start
        return pack("<4s6H3L5H2L", b"PK\x01\x02", *head, self.mode << 16, at) + self.name + self.extra


def deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def put_together(
    entries: Iterable[Made], *, before: bytes = b"", comment: bytes = b"", count: int | None = None
) -> bytes:
    """A ZIP file of these entries, after `before`, of which its offsets know nothing."""
    body, listed, entries = bytearray(), bytearray(), list(entries)  # bytes would be copied for each entry
    for entry in entries:
        listed += entry.listed(len(body))
        body += entry.local()
    number = len(entries) if count is None else count
    end = pack("<4s4H2LH", b"PK\x05\x06", 0, 0, number, number, len(listed), len(body), len(comment))
    return before + body + listed + end + comment
