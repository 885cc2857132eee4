"""What becomes of a picture that is kept, in the process that decodes pictures."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from app.observe import Observer
from app.pictures.picture import PICTURE_REFUSALS, PictureLimits, PictureRefused
from app.pictures.process import DecoderAway, PictureDecoder
from tests.support.pictures import DARK, find_corner, opened, picture

SECRET = b"48.137154, 11.576124"


@pytest.fixture(scope="module")
async def decoder() -> AsyncIterator[PictureDecoder]:
    made = PictureDecoder(Observer(), PictureLimits(pixels=1_000_000))
    yield made
    await made.close()


def noted(**tags: object) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    for tag, value in tags.items():
        exif[{"orientation": 0x0112}[tag]] = value
    return exif


def with_text() -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    return picture("PNG", pnginfo=text, exif=noted())


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (picture("JPEG", exif=noted(), comment=SECRET, xmp=SECRET), "image/jpeg"),
        (with_text(), "image/png"),
        (picture("PNG", mode="P"), "image/png"),
        (picture("PNG", mode="1"), "image/png"),
        (picture("PNG", mode="LA"), "image/png"),
        (picture("PNG", mode="RGBA"), "image/png"),
        (picture("JPEG", mode="L", progressive=True), "image/jpeg"),
        (picture("JPEG", mode="CMYK"), "image/jpeg"),
    ],
    ids=["jpeg", "png", "palette", "black-and-white", "grey-and-transparent", "transparent", "grey", "cmyk"],
)
async def test_a_picture_is_kept_without_what_stands_beside_it(
    decoder: PictureDecoder, content: bytes, media_type: str
) -> None:
    kept = await decoder.clean(content)
    image = opened(kept.content)
    assert (kept.media_type, kept.width, kept.height) == (media_type, 60, 40)
    assert (image.size, image.mode in ("1", "L", "LA", "P", "RGB", "RGBA")) == ((60, 40), True)
    assert SECRET not in kept.content
    assert b"Exif" not in kept.content
    assert not set(image.info) & {"exif", "comment", "xmp", "icc_profile", "Comment"}
    assert find_corner(kept.content) == "top left"
    assert await decoder.clean(content) == kept
    assert (await decoder.clean(kept.content)).content == kept.content or media_type == "image/jpeg"


@pytest.mark.parametrize(
    ("orientation", "where", "size"),
    [
        (1, "top left", (60, 40)),
        (3, "bottom right", (60, 40)),
        (6, "top right", (40, 60)),
        (8, "bottom left", (40, 60)),
    ],
)
async def test_a_picture_is_turned_as_the_camera_was_held(
    decoder: PictureDecoder, orientation: int, where: str, size: tuple[int, int]
) -> None:
    kept = await decoder.clean(picture(exif=noted(orientation=orientation)))
    assert (find_corner(kept.content), (kept.width, kept.height)) == (where, size)


async def test_a_jpeg_keeps_its_quality(decoder: PictureDecoder) -> None:
    for quality in (40, 95):
        sent = picture(quality=quality, size=(300, 200))
        kept = opened((await decoder.clean(sent)).content)
        assert kept.quantization == opened(sent).quantization  # type: ignore[attr-defined]


async def test_transparency_stays(decoder: PictureDecoder) -> None:
    dark = opened(picture("PNG", mode="P")).getpixel((5, 5))
    for content in (picture("PNG", mode="P", transparency=dark), picture("PNG", transparency=DARK)):
        for kept in (await decoder.clean(content), await decoder.scale(content, 160)):
            alpha = opened(kept.content).convert("RGBA").getchannel("A")
            assert (alpha.getpixel((5, 5)), alpha.getpixel((55, 35))) == (0, 255)


async def test_sixteen_bits_of_grey_become_eight(decoder: PictureDecoder) -> None:
    written = BytesIO()
    Image.new("I;16", (4, 4), 0x8000).save(written, "PNG")
    kept = opened((await decoder.clean(written.getvalue())).content)
    assert (kept.mode, kept.getpixel((1, 1))) == ("L", 128)


async def test_colours_of_a_profile_become_those_that_screens_show(decoder: PictureDecoder) -> None:
    usual = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # Its red and green are exchanged, and it has another name.
    other = usual.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be")).replace(b"rXYZ", b"0XYZ")
    other = other.replace(b"gXYZ", b"rXYZ").replace(b"0XYZ", b"gXYZ")
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for icc, swapped in ((usual, False), (b"no profile", False), (lab, False), (other, True)):
        kept = opened((await decoder.clean(picture("PNG", icc_profile=icc))).content)
        red, green, blue = kept.getpixel((55, 35))  # type: ignore[misc]
        assert (red < green, blue) == (swapped, blue)


async def test_a_damaged_note_of_the_camera_costs_no_picture(decoder: PictureDecoder) -> None:
    exif = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 60
    assert find_corner((await decoder.clean(picture(exif=exif))).content) == "top left"


GIF, HALF = picture("GIF"), picture(size=(600, 400))
REFUSED: dict[str, bytes] = {
    "gif": GIF,
    "text": b"ItemCode;Description\n",
    "nothing": b"",
    "zip": b"PK\x03\x04" + bytes(60),
    "half a JPEG": HALF[: len(HALF) // 2],
    "half a PNG": picture("PNG", mode="RGB", size=(600, 400), compress_level=0)[:3_000],
    "large": picture("PNG", size=(1_001, 1_000)),
    "larger than it is": picture("PNG")[:16] + (100_000).to_bytes(4, "big") * 2 + picture("PNG")[24:],
}
CODES = {"gif": "not_a_picture", "text": "not_a_picture", "nothing": "not_a_picture", "zip": "not_a_picture",
         "half a JPEG": "damaged_picture", "half a PNG": "damaged_picture", "large": "too_many_pixels"}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_whole_picture_is_refused_by_its_content(decoder: PictureDecoder, name: str) -> None:
    with pytest.raises(PictureRefused) as refused:
        await decoder.clean(REFUSED[name])
    assert refused.value.code == CODES.get(name, refused.value.code)
    assert refused.value.code in PICTURE_REFUSALS
    assert (await decoder.clean(picture())).width == 60


@pytest.mark.parametrize(
    ("format", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "P"), ("PNG", "RGBA"), ("PNG", "1")]
)
async def test_a_picture_is_made_smaller_and_never_larger(decoder: PictureDecoder, format: str, mode: str) -> None:
    content = picture(format, mode=mode, size=(900, 301))
    smaller = await decoder.scale(content, 160)
    assert (smaller.width, smaller.height, opened(smaller.content).size) == (160, 54, (160, 54))
    assert find_corner(smaller.content) == "top left"
    assert (await decoder.scale(smaller.content, 320)).width == 160
    assert (await decoder.scale(picture(format, mode=mode, size=(900, 1)), 160)).height == 1


async def test_the_process_has_no_secret_and_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_SECRET_KEY", "the pepper")
    decoder = PictureDecoder(Observer())
    await decoder.clean(picture())
    assert decoder._process
    process = Path(f"/proc/{decoder._process.pid}")
    assert (process / "environ").read_bytes() == b""
    told = (process / "limits").read_text()
    assert (process / "oom_score_adj").read_text() == "1000\n"
    assert "Max address space         1073741824" in told
    assert "Max file size             0 " in told
    await decoder.close()


@pytest.fixture(scope="module")
def large() -> bytes:
    """36 million pixels, which take 144 MB."""
    return picture("PNG", size=(6_000, 6_000), compress_level=1)


async def test_a_picture_that_takes_too_much_memory_is_refused_and_the_next_one_is_not(large: bytes) -> None:
    decoder = PictureDecoder(Observer(), PictureLimits(memory_bytes=100_000_000))
    with pytest.raises(PictureRefused, match="too_many_pixels"):
        await decoder.clean(large)
    assert (await decoder.clean(picture())).width == 60
    await decoder.close()


@pytest.mark.parametrize("limits", [PictureLimits(cpu_seconds=0.1), PictureLimits(seconds=0.05)], ids=["cpu", "clock"])
async def test_a_picture_that_takes_too_long_is_refused_and_the_next_one_is_not(
    large: bytes, limits: PictureLimits
) -> None:
    decoder = PictureDecoder(Observer(), limits)
    with pytest.raises(PictureRefused, match="picture_too_slow"):
        await decoder.clean(large)
    decoder.limits = PictureLimits()
    assert (await decoder.clean(picture())).width == 60
    await decoder.close()


async def test_a_picture_that_ends_its_process_is_refused_after_a_second_try(
    decoder: PictureDecoder, killing: Callable[[int], None]
) -> None:
    killing(1)
    assert (await decoder.clean(picture())).width == 60
    killing(2)
    with pytest.raises(PictureRefused, match="picture_breaks_decoder"):
        await decoder.clean(picture())
    assert (await decoder.clean(picture())).width == 60


@pytest.fixture
def killing(decoder: PictureDecoder, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Kills the process at each of the next so many pictures."""
    get = decoder._get

    def kill_next(times: int) -> None:
        left = iter(range(times))

        async def get_killed() -> object:
            process = await get()
            if next(left, None) is not None:
                os.kill(process.pid, signal.SIGKILL)
            return process

        monkeypatch.setattr(decoder, "_get", get_killed)

    return kill_next


async def test_signals_to_all_processes_of_the_service_do_not_end_it(decoder: PictureDecoder) -> None:
    await decoder.clean(picture())
    assert decoder._process
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(decoder._process.pid, number)
    process = decoder._process
    assert (await decoder.clean(picture())).width == 60
    assert decoder._process is process


async def test_an_idle_process_ends_and_another_one_starts() -> None:
    decoder = PictureDecoder(Observer(), idle_seconds=0.0)
    await decoder.clean(picture())
    process = decoder._process
    assert process
    await asyncio.wait_for(process.wait(), 10)
    assert (await decoder.clean(picture())).width == 60
    await decoder.close()


async def test_a_caller_that_gives_up_waiting_leaves_no_answer_to_the_next(decoder: PictureDecoder) -> None:
    asking = asyncio.create_task(decoder.clean(picture("PNG", size=(900, 900))))
    await decoder.clean(picture()) if asking.done() else await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert (await decoder.clean(picture())).width == 60


async def test_pictures_wait_for_a_machine_without_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.pictures.process.SCRIPT", "/nowhere/decoder.py")
    with pytest.raises(DecoderAway, match="No process for pictures can be started"):
        await PictureDecoder(Observer()).clean(picture())
