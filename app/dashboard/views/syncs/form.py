"""The form of an item sync: the settings of the connector in its own words, and the body that the API would be sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from pydantic.alias_generators import to_camel
from starlette.datastructures import FormData

from app.connections.connection import StoredConnection
from app.dashboard.forms import text_of
from app.errors import Complaint
from app.syncs.settings import SEPARATORS, SyncSettings
from app.syncs.stored import LISTS, StoredSync
from app.transports.afterwards import MOVE, parse_afterwards

# A member of the API -> its words on the page, and the sentence below.
TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "name": ("Name", "What you call it, such as Catalogue."),
    "itemsPath": ("Folder of items", "All its *.csv files are read."),
    "filtersPath": ("Folder of item filters", "All its *.csv files are read: classes such as Color, and their values."),
    "imagesPath": (
        "ZIP archive of item images",
        "Its .jpg, .jpeg and .png files are linked to items by their names, such as SHIRT01_1.jpg.",
    ),
}
FLAGS: Final[Mapping[str, tuple[str, str]]] = {
    "trimValues": ("Trim white space from all fields", ""),
    "useDeprecatedFreeFieldsFormat": (
        "Use deprecated free fields format",
        "The column FreeItemFields is one text, and not pairs such as Material:Cotton;Origin:Vietnam.",
    ),
    "hideFreeFieldCaption": (
        "Hide free field caption",
        "Hides the caption “Vrij veld” when the deprecated format is used.",
    ),
    "imagesOnlyFromPim": ("Use images only from PIM", "The ZIP archive is not read."),
    "picturesBySeparateTask": (
        "Images are synced by the main FTP Picture Sync task",
        "The ZIP archive is not read.",
    ),
}
MODES: Final = (
    ("incremental", "Incremental", "Items in the files are added and changed. Nothing is removed."),
    (
        "full",
        "Full (“Clean data”)",
        "Items, prices and filters that are in no file are removed, together with all other changes and at once.",
    ),
)
SEPARATOR_WORDS: Final = {"semicolon": "Semicolon ;", "comma": "Comma ,", "tab": "Tab", "pipe": "Vertical bar |"}
SEPARATOR_CHOICES: Final = [(word, SEPARATOR_WORDS.get(word, word)) for word in SEPARATORS]
WORD_OF: Final = {character: word for word, character in SEPARATORS.items()}
BLANKS: Final = (
    ("keep", "Leaves the field as it is", ""),
    ("clear", "Clears the field", ""),
    ("empty", "Stores empty text", ""),
)
AFTERWARDS: Final = (
    ("keep", "Stay where they are", ""),
    ("move", "Are moved to a folder", ""),
    ("delete", "Are deleted", ""),
)
NUMBERS: Final = ("quietSeconds", "removedPercent")


def list_connections(connections: Sequence[StoredConnection]) -> list[tuple[str, str]]:
    """Those that can list a folder, as choices."""
    return [
        (each.id, f"{each.declaration.settings['name']} ({each.declaration.settings['transport'].upper()})")
        for each in connections
        if each.declaration.settings["transport"] in LISTS
    ]


def values_of(stored: StoredSync | None, connection_id: str = "") -> dict[str, Any]:
    """The values of the form's fields; without a sync those of a new one."""
    settings = stored.declaration.settings if stored else SyncSettings()
    afterwards, share = parse_afterwards(settings.afterwards), settings.max_removed_share
    return {to_camel(name): value for name, value in asdict(settings).items()} | {
        "name": stored.declaration.name if stored else "",
        "connectionId": stored.declaration.connection_id if stored else connection_id,
        "separator": WORD_OF[settings.separator],
        "afterwards": afterwards.action,
        "folder": settings.afterwards.removeprefix(MOVE) if afterwards.folder else "",
        "quietSeconds": f"{settings.quiet_seconds:g}",
        "removedPercent": "" if share is None else f"{share * 100:g}",
    }


def read_values(form: FormData) -> dict[str, Any]:
    """The fields as they were sent, to be shown again."""
    texts = (*TEXTS, "connectionId", "mode", "separator", "encoding", "blankCells", "afterwards", "folder", *NUMBERS)
    return {name: text_of(form, name) for name in texts} | {name: name in form for name in FLAGS}


def build_body(values: Mapping[str, Any], stored: StoredSync | None) -> dict[str, Any]:
    """As `PUT /item-syncs/{id}` takes it. What the form does not show stays as it is."""
    kept = asdict(stored.declaration.settings) if stored else {}
    shown = {name: value for name, value in values.items() if name not in ("folder", "removedPercent")}
    share = read_number(values["removedPercent"])
    return (
        {to_camel(name): value for name, value in kept.items()}
        | shown
        | {
            "encoding": values["encoding"] or None,
            "quietSeconds": read_number(values["quietSeconds"]),
            "maxRemovedShare": share / 100 if isinstance(share, float) else share,
            "afterwards": f"{MOVE}{values['folder']}" if values["afterwards"] == "move" else values["afterwards"],
        }
    )


def body_of_sync(stored: StoredSync) -> dict[str, Any]:
    """What the API would be sent for the same."""
    declaration = stored.declaration
    settings = {to_camel(name): value for name, value in asdict(declaration.settings).items() if value is not None}
    return {"name": declaration.name, "connectionId": declaration.connection_id, **settings}


def find_mistakes(values: Mapping[str, Any]) -> Iterator[Complaint]:
    """What the API would say of a share, which people do not type."""
    share = read_number(values["removedPercent"])
    if not (share is None or (isinstance(share, float) and 0 <= share <= 100)):
        yield Complaint("removedPercent", "The percentage must be a number from 0 to 100, or empty")


def read_number(text: str) -> float | str | None:
    """None for nothing; a text that is no number stays what it is, and is refused as the API refuses it."""
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        return text
