"""Recognises UTF-16 without a byte order mark by its zero bytes."""

from typing import Final

# The high bytes of Latin, Greek, Cyrillic, Hebrew and Arabic letters, of digits and of delimiters. UTF-8 text has
# none of these bytes.
SMALL: Final = bytes(range(9))
SHARE: Final = 0.7  # of the high bytes; signs such as € or „ have others
LEAST_BYTES: Final = 4


def detect_utf16(head: bytes) -> str | None:
    """ "utf-16-le" or "utf-16-be" if the file that begins with `head` is that for sure."""
    even, odd = head[0::2], head[1::2]
    if len(head) < LEAST_BYTES:
        return None
    for encoding, low, high in (("utf-16-le", even, odd), ("utf-16-be", odd, even)):
        small = len(high) - len(high.translate(None, SMALL))
        if 0 in high and 0 not in low and small >= SHARE * len(high):
            return encoding
    return None
