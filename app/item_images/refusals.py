"""Why a file of an archive becomes no image of an item: one table of all reasons."""

from typing import Final

from app.formats.archives.zip_file import ENTRY_REFUSALS
from app.pictures.picture import PICTURE_REFUSALS

# Code -> what is said of the file, for which its name is put first.
REFUSALS: Final[dict[str, str]] = {
    "unknown_item": "is named after no item",
    "other_extension": "ends with none of .jpg, .jpeg and .png",
    "repeated": "shows the same image of an item as a later file of the archive",
    **ENTRY_REFUSALS,
    **PICTURE_REFUSALS,
}
