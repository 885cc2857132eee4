"""The settings of an item sync: one value, which each of its runs copies when it is accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from app.errors import Refused, join_choices
from app.formats.decode import normalize_encoding
from app.mappings.delimiters import DELIMITERS, parse_delimiter
from app.runs.holding.brakes import BRAKES, MAX_REMOVED_SHARE, Brakes
from app.storage.json_columns import compile_reader
from app.transports.afterwards import parse_afterwards
from app.transports.failed import TransportFailed
from app.transports.transport import LONGEST_PATH, WILD, check_path

Mode = Literal["incremental", "full"]
BlankCells = Literal["keep", "clear", "empty"]

LONGEST_FOLDER: Final = LONGEST_PATH - 256  # characters: the name of a file follows
SEPARATORS: Final = {word: character for word, character in DELIMITERS.items() if word != "auto"}
MOST_QUIET_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSettings:
    """Where the files are, how they are read, and what becomes of them. In quotes is what the connector's page says.

    A path that does not begin with a slash starts from the connection's root.
    """

    # The page: "Reads all *.csv files from the /items/ directory on the FTP server."
    items_path: str = "/items/"
    # The page: "Reads all *.csv files from the /itemfilters/ directory on the FTP server."
    filters_path: str = "/itemfilters/"
    # The page: "Reads a single ZIP archive (e.g., itempictures.zip) from the root FTP directory."
    images_path: str = "/itempictures.zip"
    # The page: "Defines the column separator for all CSV files. Defaults to ; if left empty."
    separator: str = ";"
    encoding: str | None = None  # None: UTF-8, or what the file itself shows
    # "Clean data", as the page of the item sync means it: "all existing item, price, and filter data will be deleted
    # before the sync starts". Here nothing is deleted before: what no file names any more goes at the end, at once.
    mode: Mode = "incremental"
    # "Clean data", as the page of the connector's settings means it: white space is trimmed from all fields.
    trim_values: bool = False
    # The page: "Enables the old single-value free field logic."
    use_deprecated_free_fields_format: bool = False
    # The page: "Hides the "Vrij veld" caption when the deprecated free field format is used."
    hide_free_field_caption: bool = False
    # The page: "This process is skipped if the "Use images only from PIM" setting is active in the portal."
    images_only_from_pim: bool = False
    # The page: "This is only processed if images are not set to be synced via the main FTP Picture Sync task."
    pictures_by_separate_task: bool = False
    blank_cells: BlankCells = "keep"  # an empty cell leaves the field, sets it to null, or stores ""
    afterwards: str = "keep"  # what becomes of the CSV files once all is written: app.transports.afterwards
    quiet_seconds: float = 5.0  # how long files must not have changed before they are read

    # What a run may do at most before somebody has to say that it is meant: app.runs.holding.brakes. Those of records
    # are for each type.
    max_errors: int | None = None
    max_error_share: float | None = None
    max_created: int | None = None
    max_updated: int | None = None
    max_removed: int | None = None
    max_removed_share: float | None = MAX_REMOVED_SHARE
    min_rows: int | None = None

    @property
    def brakes(self) -> Brakes:
        return Brakes(**{name: getattr(self, name) for name in BRAKES})

    @property
    def keeps_files(self) -> bool:
        return parse_afterwards(self.afterwards).action == "keep"

    @property
    def wants_images(self) -> bool:
        return not (self.images_only_from_pim or self.pictures_by_separate_task)


read_settings = compile_reader(SyncSettings)


def settings_to_json(settings: SyncSettings) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(settings)
    return built


def load_settings(stored: Mapping[str, Any]) -> SyncSettings:
    """The inverse of `settings_to_json`. Members of newer releases are passed over."""
    return read_settings(dict(stored))


def parse_folder(path: str) -> str:
    """The folder with a slash at its end. Raises ValueError."""
    folder = path if path.endswith("/") else f"{path}/"
    if not path or WILD.intersection(folder) or ".." in folder.split("/") or not is_path(folder, LONGEST_FOLDER):
        raise ValueError(
            f"must be a folder of at most {LONGEST_FOLDER} printable characters, without `..` and wildcards"
        )
    return folder


def parse_file_path(path: str) -> str:
    """Raises ValueError."""
    if path.endswith("/") or WILD.intersection(path) or ".." in path.split("/") or not is_path(path, LONGEST_PATH):
        raise ValueError(
            f"must name one file, in at most {LONGEST_PATH:,} printable characters, without `..` and wildcards"
        )
    return path


def is_path(path: str, longest: int) -> bool:
    try:
        check_path(path, longest)
    except TransportFailed:
        return False
    return True


def parse_separator(name: str) -> str:
    """The character that this name or character means; the connector's default if it is empty. Raises ValueError."""
    separator = parse_delimiter(name) if name else ";"
    if separator is None or separator not in SEPARATORS.values():
        raise ValueError(f"must be one of {join_choices(SEPARATORS)}")
    return separator


def parse_encoding(name: str) -> str:
    """The name under which an encoding is stored. Raises ValueError."""
    try:
        return normalize_encoding(name)
    except Refused as refused:
        raise ValueError(refused.detail) from None


def check_afterwards(text: str) -> str:
    """The text as it is. Raises ValueError."""
    parse_afterwards(text)
    return text
