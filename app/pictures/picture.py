"""A picture as it is kept: upright, in RGB or grey, and without a word of what the camera noted beside it."""

from dataclasses import dataclass
from typing import Final

# Why a picture is not kept: code -> what is said of it.
PICTURE_REFUSALS: Final[dict[str, str]] = {
    "not_a_picture": "is neither a JPEG nor a PNG picture, whatever its name says",
    "damaged_picture": "is a damaged picture, or only a part of one",
    "too_many_pixels": "has too many pixels",
    "picture_too_large": "takes too much room as it is kept",
    "picture_too_slow": "takes too long to decode",
    "picture_breaks_decoder": "cannot be decoded: it ends the process that tries",
}
WIDTHS: Final = (160, 320, 640, 1_280)  # that a picture may be asked for in, so that nobody fills the disk with others


class PictureRefused(Exception):
    """The picture cannot be used; `code` is a key of PICTURE_REFUSALS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Picture:
    """The same content with the same release of Pillow gives the same bytes."""

    media_type: str
    width: int
    height: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    """What one picture may cost. A progressive JPEG takes up to 16 bytes a pixel while it is decoded and turned."""

    pixels: int = 50_000_000  # a telephone's camera has 48 million
    kept_bytes: int = 33_554_432
    memory_bytes: int = 1_073_741_824  # of addresses of the process
    cpu_seconds: float = 20.0
    seconds: float = 60.0  # by the clock, on a machine that has other things to do
