"""Writes the reference page of pictures: why one is refused, and what one may cost."""

from app.item_images import archive
from app.item_images.refusals import REFUSALS
from app.pictures.picture import WIDTHS, PictureLimits
from docs.generate.markdown import code, page, sentence, table

LIMITS = PictureLimits()


def pictures() -> str:
    intro = """
An item sync reads the pictures of items from a ZIP file: [Pictures of items](../guides/item-images.md). What cannot be used is listed in
the report of the sync by its name and one of these codes. No file costs another.
"""
    codes = [(code(name), sentence(f"The file {predicate}")) for name, predicate in REFUSALS.items()]
    return page(
        "Pictures",
        intro,
        "## Codes",
        table(("Code", "Meaning"), codes),
        "## Limits",
        table(("Limit", "Value"), ((name, f"{value:,}") for name, value in ROWS)),
        f"The widths that a picture may be asked for in are {', '.join(map(str, WIDTHS))}.",
    )


ROWS = [
    ("Files in a ZIP file that are looked at", archive.MOST_ENTRIES),
    ("Bytes of a file in it", archive.PICTURE_BYTES),
    ("Bytes of all files in it, unpacked", archive.UNPACKED_BYTES),
    ("Pixels of a picture", LIMITS.pixels),
    ("Bytes of a picture as it is kept", LIMITS.kept_bytes),
    ("Bytes of memory of the process that decodes pictures", LIMITS.memory_bytes),
    ("Seconds of processor time for a picture", int(LIMITS.cpu_seconds)),
    ("Seconds for a picture", int(LIMITS.seconds)),
]
