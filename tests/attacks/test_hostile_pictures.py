"""Pictures that are made to exhaust or to crash their decoder cost a process that nobody misses, never the service."""

import random
import zlib
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from app.observe import Observer
from app.pictures.picture import Picture, PictureLimits, PictureRefused
from app.pictures.process import PictureDecoder
from tests.attacks.test_hostile_archives import spoil
from tests.support.pictures import picture


@pytest.fixture(scope="module")
async def decoder() -> AsyncIterator[PictureDecoder]:
    made = PictureDecoder(Observer())
    yield made
    await made.close()


async def clean(decoder: PictureDecoder, content: bytes) -> Picture | str:
    """The picture, or the code of the refusal."""
    try:
        return await decoder.clean(content)
    except PictureRefused as refused:
        return refused.code


def many_scans(size: tuple[int, int], scans: int) -> bytes:
    """A small progressive JPEG whose last scan comes again and again: each makes libjpeg go through all pixels."""
    whole = picture(size=size, mode="L", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * scans + whole[-2:]


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def with_chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG with one more chunk, directly after its header."""
    png = picture("PNG")
    return png[:33] + chunk(kind, data) + png[33:]


ZEROS = zlib.compress(bytes(200_000_000))


async def test_a_bomb_is_refused_before_it_takes_memory_or_time(decoder: PictureDecoder) -> None:
    huge = picture("PNG", size=(1, 1))[:16] + (2**31 - 1).to_bytes(4, "big") * 2
    header = b"IHDR" + (2**31 - 1).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    bombs = {
        "pixels": huge[:8] + chunk(header[:4], header[4:]) + chunk(b"IDAT", zlib.compress(bytes(100))),
        "text": with_chunk(b"zTXt", b"Comment\0\0" + ZEROS),
        "profile": with_chunk(b"iCCP", b"Profile\0\0" + ZEROS),
    }
    told = {name: await clean(decoder, bomb) for name, bomb in bombs.items()}
    assert told["pixels"] == "too_many_pixels"
    assert {name for name, each in told.items() if isinstance(each, str) and each != "damaged_picture"} == {"pixels"}
    assert decoder._process
    with open(f"/proc/{decoder._process.pid}/status") as status:  # noqa: PTH123
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    assert peak < 120_000  # kB


async def test_a_jpeg_of_very_many_scans_ends_at_its_limit_of_time() -> None:
    decoder = PictureDecoder(Observer(), PictureLimits(cpu_seconds=0.5))
    assert await clean(decoder, many_scans((3_000, 3_000), 2_000)) == "picture_too_slow"
    assert isinstance(await clean(decoder, picture()), Picture)
    await decoder.close()


def whole_pictures() -> list[bytes]:
    """Small ones of all kinds, with everything that may stand beside them."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "where"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * 100, zip=True)
    grey = BytesIO()
    Image.new("I;16", (40, 30), 0x8000).save(grey, "PNG")
    return [
        picture(exif=exif, icc_profile=profile, comment=b"x"),
        picture(progressive=True, subsampling=0, exif=exif),
        picture(mode="CMYK"),
        picture(mode="L"),
        picture("PNG", exif=exif, icc_profile=profile, pnginfo=text),
        picture("PNG", mode="P", transparency=1),
        picture("PNG", mode="RGBA"),
        picture("PNG", mode="1"),
        grey.getvalue(),
    ]


async def spoil_many(decoder: PictureDecoder, seed: int, times: int) -> None:
    """Bits are flipped, parts cut out and put in twice, and ends torn off."""
    chance, pictures = random.Random(seed), whole_pictures()
    for _ in range(times):
        whole = chance.choice(pictures)
        file = whole[: chance.randrange(len(whole))] if chance.random() < 0.1 else spoil(whole, chance)
        told = await clean(decoder, file)
        assert isinstance(told, Picture) or told in ("damaged_picture", "not_a_picture", "too_many_pixels"), told


async def test_a_picture_that_was_spoilt_is_a_picture_or_refused(decoder: PictureDecoder) -> None:
    await clean(decoder, picture())
    process = decoder._process
    await spoil_many(decoder, 11, 600)
    assert decoder._process is process


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", range(4))
async def test_no_picture_that_was_spoilt_ends_the_process(decoder: PictureDecoder, seed: int) -> None:
    await clean(decoder, picture())
    process = decoder._process
    await spoil_many(decoder, seed, 25_000)
    assert decoder._process is process
