"""The process that decodes pictures: it reads one after the other from its input and answers each on its output.

It is started as a script, imports nothing of the service, and gets no environment: whatever a picture makes of it finds
no secret, cannot write a file, and ends with its input. A request is the width (0: as it is) and the number of bytes,
then the picture. An answer is a line of JSON, then the picture.
"""

import json
import resource
import signal
import sys
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from struct import Struct
from typing import Any, Final

from PIL import Image, ImageCms, ImageOps, JpegImagePlugin, UnidentifiedImageError

REQUEST: Final = Struct(">IQ")
# Format -> media type, and the modes that are kept; any other becomes RGB, or RGBA.
FORMATS: Final = {
    "JPEG": ("image/jpeg", ("L", "RGB")),
    "PNG": ("image/png", ("1", "L", "LA", "P", "RGB", "RGBA")),
}
SIXTEEN_BITS: Final = ("I", "I;16", "I;16B")
SCALED_QUALITY: Final = 85
CONVERTED_QUALITY: Final = 90
TALLEST: Final = 65_500  # of a JPEG


def main() -> None:
    limits = json.loads(sys.argv[1])
    confine(limits)
    answer({"ready": True})
    while header := sys.stdin.buffer.read(REQUEST.size):
        width, size = REQUEST.unpack(header)
        data = sys.stdin.buffer.read(size)
        signal.setitimer(signal.ITIMER_PROF, limits["cpu_seconds"])  # its signal ends the process
        told, content = convert(data, width, limits)
        signal.setitimer(signal.ITIMER_PROF, 0)
        answer(told, content)


def confine(limits: dict[str, Any]) -> None:
    """Takes from this process whatever it does not need. How it ends is its parent's decision: a signal to all
    processes of the service is not for it."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    Image.preinit()
    Image.MAX_IMAGE_PIXELS = None  # there is a limit of our own, which does not only warn
    if sys.platform == "linux":  # macOS has none of these
        with suppress(OSError):  # a machine without memory ends this process, and no other
            Path("/proc/self/oom_score_adj").write_text("1000")
        resource.setrlimit(resource.RLIMIT_AS, (limits["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def answer(told: dict[str, Any], content: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps(told | {"bytes": len(content)}).encode() + b"\n" + content)
    sys.stdout.buffer.flush()


def convert(data: bytes, width: int, limits: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What is told of the picture, and its bytes. Whatever Pillow raises of a broken picture is the picture's fault."""
    try:
        with Image.open(BytesIO(data), formats=tuple(FORMATS)) as source:
            if source.width * source.height > limits["pixels"]:
                return {"refused": "too_many_pixels"}, b""
            told, content = render(source, width)
    except UnidentifiedImageError:
        return {"refused": "not_a_picture"}, b""
    except MemoryError:
        return {"refused": "too_many_pixels"}, b""
    except Exception:  # noqa: BLE001  OSError, SyntaxError, ValueError, EOFError, struct.error and more
        return {"refused": "damaged_picture"}, b""
    if len(content) > limits["kept_bytes"]:
        return {"refused": "picture_too_large"}, b""
    return told, content


def render(source: Image.Image, width: int) -> tuple[dict[str, Any], bytes]:
    kind = "PNG" if source.format == "PNG" else "JPEG"  # the first of several pictures in a JPEG is "MPO"
    media_type, modes = FORMATS[kind]
    if width:
        source.draft("RGB", (width, TALLEST))  # a JPEG is decoded to about this size, if it is larger
    source.load()
    options = find_options(source, kind, scaled=bool(width))
    turn_upright(source)
    image = to_modes(to_srgb(source), modes)
    if width:
        image = scale(image, width)
    image.info = {name: image.info[name] for name in ("transparency",) if kind == "PNG" and name in image.info}
    written = BytesIO()
    image.save(written, kind, **options)
    return {"mediaType": media_type, "width": image.width, "height": image.height}, written.getvalue()


def find_options(source: Image.Image, kind: str, *, scaled: bool) -> dict[str, Any]:
    """How the picture is written. A JPEG that is only cleaned keeps its own tables, and with them its quality and its
    size."""
    if kind == "PNG":
        return {}
    if scaled:
        return {"quality": SCALED_QUALITY}
    tables = getattr(source, "quantization", None)
    if source.mode not in ("L", "RGB") or not tables:
        return {"quality": CONVERTED_QUALITY}
    return {"qtables": tables, "subsampling": JpegImagePlugin.get_sampling(source)}


def turn_upright(source: Image.Image) -> None:
    try:
        ImageOps.exif_transpose(source, in_place=True)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  what the camera noted cannot be read, and the picture is whole
        return


def to_srgb(image: Image.Image) -> Image.Image:
    """In the colours that screens show of a picture without a profile, for one that has a profile of its own."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "CMYK"):
        return image
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(own):
            return image
        return ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image


def to_modes(image: Image.Image, modes: tuple[str, ...]) -> Image.Image:
    if image.mode in SIXTEEN_BITS:
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in modes:
        return image
    return image.convert("RGBA" if "RGBA" in modes and image.has_transparency_data else "RGB")


def scale(image: Image.Image, width: int) -> Image.Image:
    """Never larger than it is."""
    if image.mode in ("1", "P") or "transparency" in image.info:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.width <= width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)


if __name__ == "__main__":
    main()
