"""Turns an upload, while it arrives, into what is stored: unpacked, UTF-8, without a byte order mark."""

import codecs

from app.errors import Complaint, Refused
from app.formats.unpack import Unpacker

# What a request may name, in any case and with `_` for `-` -> the name that is kept.
ENCODINGS: dict[str, str] = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-8-sig": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "utf-16": "utf-16",
    "utf16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16-le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-16-be": "utf-16-be",
    "iso-8859-1": "iso-8859-1",
    "iso8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "latin-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "iso8859-15": "iso-8859-15",
    "latin9": "iso-8859-15",
    "latin-9": "iso-8859-15",
    "windows-1250": "windows-1250",
    "cp1250": "windows-1250",
    "windows-1251": "windows-1251",
    "cp1251": "windows-1251",
    "windows-1252": "windows-1252",
    "cp1252": "windows-1252",
}
# A mark says what follows it, whatever was declared.
MARKS: dict[bytes, str] = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
LONGEST_MARK = 3
# Half a UTF-16 unit is no character in any encoding, and this byte is none in UTF-8.
HALF_UNIT = b"\xff"


class Decoder:
    """Fed with the parts of an upload in order, gives the bytes to store. What is no text in the upload's encoding
    comes out as bytes that are no UTF-8, so that its row fails later: nothing is replaced. Raises Refused."""

    def __init__(self, encoding: str | None, limit: int, ratio: int = 200) -> None:
        self._encoding = normalize_encoding(encoding) if encoding else "utf-8"
        self._unpacker = Unpacker(limit, ratio)
        self._begin: bytes | None = b""  # None once the encoding is settled
        self._text: codecs.IncrementalDecoder | None = None

    @property
    def encoding(self) -> str:
        """What the upload is written in: declared at first, found after the first bytes."""
        return self._encoding

    def feed(self, data: bytes) -> bytes:
        data = self._unpacker.feed(data)
        if self._begin is not None:
            data = self._begin + data
            if len(data) < LONGEST_MARK:
                self._begin = data
                return b""
            data = self._settle(data)
        return self._stored(data)

    def finish(self) -> bytes:
        data = self._unpacker.finish()
        if self._begin is not None:
            data = self._settle(self._begin + data)
        stored = self._stored(data)
        pending = self._text.getstate()[0] if self._text else b""
        return stored + self._left_over(pending)

    def _settle(self, data: bytes) -> bytes:
        """Decides the encoding by the first bytes; gives them back without the mark."""
        self._begin = None
        mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
        if mark:
            self._encoding = MARKS[mark]
        elif self._encoding == "utf-16":
            # Text without a mark begins with an ASCII character in nearly every file: its zero byte tells.
            self._encoding = "utf-16-be" if data.startswith(b"\0") else "utf-16-le"
        if self._encoding != "utf-8":
            errors = "surrogatepass" if self._encoding.startswith("utf-16") else "surrogateescape"
            self._text = codecs.getincrementaldecoder(self._encoding)(errors)
        return data[len(mark) :]

    def _stored(self, data: bytes) -> bytes:
        if self._text is None:
            return data
        return self._text.decode(data).encode("utf-8", self._text.errors)

    def _left_over(self, pending: bytes) -> bytes:
        """The end of a UTF-16 file: a surrogate that waits for its second half, or half a unit."""
        unit, half = pending[:2], pending[2:]
        if len(unit) < len(codecs.BOM_UTF16):
            return HALF_UNIT if unit else b""
        surrogate = chr(int.from_bytes(unit, "little" if self._encoding == "utf-16-le" else "big"))
        return surrogate.encode("utf-8", "surrogatepass") + (HALF_UNIT if half else b"")


def normalize_encoding(declared: str) -> str:
    """The name under which an encoding is kept. Raises Refused for one that is not read."""
    name = ENCODINGS.get(declared.strip().lower().replace("_", "-"))
    if name is None:
        known = ", ".join(dict.fromkeys(ENCODINGS.values()))
        reason = f"{declared[:100]!r} is not one of {known}"
        raise Refused("invalid", f"The encoding {reason}", [Complaint("encoding", reason)])
    return name
