"""Pictures as cameras and programs write them."""

from io import BytesIO
from typing import Any

from PIL import Image

LIGHT, DARK = (250, 190, 190), (20, 20, 120)
CORNERS = ("top left", "top right", "bottom left", "bottom right")


def picture(format: str = "JPEG", *, size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> bytes:
    """Light, with a dark corner at the top left."""
    made = Image.new("RGB", size, LIGHT)
    made.paste(DARK, (0, 0, size[0] // 2, size[1] // 2))
    written = BytesIO()
    made.convert(mode).save(written, format, **options)
    return written.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def find_corner(content: bytes) -> str:
    """Where the dark corner is."""
    grey = opened(content).convert("RGB").convert("L").resize((2, 2), Image.Resampling.BOX)
    return CORNERS[grey.tobytes().index(min(grey.tobytes()))]
