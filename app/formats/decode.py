"""Decodes an upload while it arrives: what is stored is unpacked, in UTF-8 and without a byte order mark."""

import codecs

from app.errors import Complaint, Refused, join_choices
from app.formats.detection.binary import SIGNATURE_BYTES, recognise_binary
from app.formats.detection.utf16 import detect_utf16
from app.formats.unpack import Coding, Unpacker

# The names that a request may use, in any case and with `_` for `-` -> the name that is stored.
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
# A byte order mark decides, whatever the request says.
BYTE_ORDER_MARKS: dict[bytes, str] = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
CTRL_Z = b"\x1a"
END_BYTES = 1_024  # in which a Ctrl-Z at the end of a file is looked for
# Stands for half a UTF-16 unit at the end of a file: this byte is never valid in UTF-8.
HALF_UNIT = b"\xff"


class Decoder:
    """Takes the bytes of an upload in order and gives those to store. The Ctrl-Z with which programs for DOS end a file
    is left out. Nothing is replaced: what is not text in the upload's encoding becomes bytes that are not UTF-8, so
    that its row fails later. Raises Refused for an unknown encoding, for a gzip file that is damaged or too large (see
    `Unpacker` for `limit` and `ratio`), and at the end for a file that is not text: clients read the answer more surely
    once they have sent everything."""

    def __init__(self, encoding: str | None, limit: int, ratio: int = 200) -> None:
        self._encoding = normalize_encoding(encoding) if encoding else "utf-8"
        self._declared = bool(encoding)
        self._supposed = ""  # the encoding of the file if its first characters beyond ASCII are not UTF-8
        self._undecided = b""  # at the end of what has arrived: perhaps the beginning of a UTF-8 character
        self._unpacker = Unpacker(limit, ratio)
        self._head: bytes | None = b""  # None once the encoding is known
        self._end = b""  # perhaps that of the file, with a Ctrl-Z in it
        self._refusal: Refused | None = None  # what the first bytes have shown
        self._decoder: codecs.IncrementalDecoder | None = None

    def suppose(self, charset: str, coding: Coding | None = None) -> None:
        """What headers say of the file: its charset, which counts where no encoding is declared, and how it is
        compressed. Call it before `feed`."""
        self._unpacker.coding = coding
        name = ENCODINGS.get(charset.strip().lower().replace("_", "-"), "utf-8")
        if self._declared:
            return
        if name.startswith("utf"):
            self._encoding = name
        else:
            self._supposed = name

    @property
    def encoding(self) -> str:
        """The encoding of the upload: at first the declared one, after a few bytes the one that was detected."""
        return self._encoding

    def feed(self, data: bytes) -> bytes:
        data = self._unpacker.feed(data)
        if self._head is not None:
            data = self._head + data
            if len(data) < SIGNATURE_BYTES:
                self._head = data
                return b""
            data = self._detect_encoding(data)
        return b"" if self._refusal else self._hold_end(self._to_utf8(data))

    def finish(self) -> bytes:
        data = self._unpacker.finish()
        if self._head is not None:
            data = self._detect_encoding(self._head + data)
        if self._refusal:
            raise self._refusal
        decoded = self._to_utf8(data, last=True)
        pending = self._decoder.getstate()[0] if self._decoder else b""
        return self._hold_end(decoded + self._end_of_utf16(pending)) + self._end.replace(CTRL_Z, b"")

    def _hold_end(self, data: bytes) -> bytes:
        """Keeps back a Ctrl-Z at the end, and what line ends are around it."""
        if not self._end and CTRL_Z not in data[-END_BYTES:]:
            return data
        data = self._end + data
        start = max(len(data.rstrip(CTRL_Z + b"\r\n")), len(data) - END_BYTES)
        self._end = data[start:] if CTRL_Z in data[start:] else b""
        return data[: len(data) - len(self._end)]

    def _detect_encoding(self, data: bytes) -> bytes:
        """Decides on the encoding by the first bytes, and returns them without their byte order mark."""
        self._head = None
        self._refusal = recognise_binary(data[:SIGNATURE_BYTES])
        mark = next((mark for mark in BYTE_ORDER_MARKS if data.startswith(mark)), b"")
        if mark:
            self._encoding, self._supposed = BYTE_ORDER_MARKS[mark], ""
        elif self._encoding not in ("utf-16-le", "utf-16-be") and (found := detect_utf16(data[:SIGNATURE_BYTES])):
            # No other encoding has zero bytes like these, so they decide like a mark.
            self._encoding, self._supposed = found, ""
        if self._encoding == "utf-16":
            self._encoding = "utf-16-be" if data.startswith(b"\0") else "utf-16-le"
        self._begin_decoding()
        return data[len(mark) :]

    def _begin_decoding(self) -> None:
        if self._encoding != "utf-8":
            errors = "surrogatepass" if self._encoding.startswith("utf-16") else "surrogateescape"
            self._decoder = codecs.getincrementaldecoder(self._encoding)(errors)

    def _to_utf8(self, data: bytes, *, last: bool = False) -> bytes:
        data, self._undecided = self._undecided + data, b""
        if self._supposed and not data.isascii():
            data = self._test_supposition(data, last=last)
        if self._decoder is None:
            return data
        return self._decoder.decode(data).encode("utf-8", self._decoder.errors)

    def _test_supposition(self, data: bytes, *, last: bool) -> bytes:
        """Web servers name their default charset for any file, so the bytes decide: text of a code page is almost never
        UTF-8 by chance. Returns the bytes that can be decoded now."""
        utf8 = codecs.getincrementaldecoder("utf-8")()
        try:
            if utf8.decode(data, last).isascii():
                self._undecided = utf8.getstate()[0]
                return data.removesuffix(self._undecided)
        except UnicodeDecodeError:
            self._encoding = self._supposed
            self._begin_decoding()
        self._supposed = ""
        return data

    def _end_of_utf16(self, pending: bytes) -> bytes:
        """The bytes for what a UTF-16 file leaves undecoded: a surrogate without its second half, or half a unit."""
        unit, half = pending[:2], pending[2:]
        if len(unit) < len(codecs.BOM_UTF16):
            return HALF_UNIT if unit else b""
        surrogate = chr(int.from_bytes(unit, "little" if self._encoding == "utf-16-le" else "big"))
        return surrogate.encode("utf-8", "surrogatepass") + (HALF_UNIT if half else b"")


def normalize_encoding(declared: str) -> str:
    """The name under which an encoding is stored. Raises Refused for an encoding that is not supported."""
    name = ENCODINGS.get(declared.strip().lower().replace("_", "-"))
    if name is None:
        known = join_choices(dict.fromkeys(ENCODINGS.values()))
        reason = f"`encoding` must be one of {known}"
        raise Refused("invalid", reason, [Complaint("encoding", reason)])
    return name
