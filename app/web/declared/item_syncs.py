"""Item syncs as callers declare them, and runs of them as they are asked for."""

from dataclasses import fields
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from app.auth.caller import Caller
from app.runs.holding.brakes import MAX_REMOVED_SHARE
from app.syncs.settings import (
    MOST_QUIET_SECONDS,
    BlankCells,
    Mode,
    SyncSettings,
    check_afterwards,
    parse_encoding,
    parse_file_path,
    parse_folder,
    parse_separator,
)
from app.syncs.stored import StoredSync, SyncDeclaration
from app.transports.afterwards import is_same_folder, leads_to, parse_afterwards
from app.web.caller import ensure_may_replace
from app.web.declared.brakes import BrakedBody
from app.web.declared.shape import RunName, SentShape, json_body
from app.web.shapes import DELIMITER
from app.web.surface import parse_shape

Folder = Annotated[str, AfterValidator(parse_folder)]
FilePath = Annotated[str, AfterValidator(parse_file_path)]
SEPARATOR: Final = {**DELIMITER, "enum": [each for each in DELIMITER["enum"] if each != "auto"], "title": "Separator"}
SETTINGS: Final = {each.name for each in fields(SyncSettings)}
# What an answer adds, so that an answer can be sent back as it is.
ADDED: Final = ("id", "scheduleIds", "lastRunId", "lastRunStatus", "createdAt", "updatedAt")


class ItemSyncBody(BrakedBody):
    """In quotes is what the page of the connector says."""

    name: RunName = Field(description="Unique among the account's item syncs")
    connection_id: str = Field(max_length=100, description="A connection over ftp, ftps, sftp or s3")
    items_path: Folder = Field(
        default="/items/",
        description='"Reads all *.csv files from the /items/ directory". A path without a slash at its start begins '
        "at the connection's `root`",
    )
    filters_path: Folder = Field(
        default="/itemfilters/", description='"Reads all *.csv files from the /itemfilters/ directory"'
    )
    images_path: FilePath = Field(
        default="/itempictures.zip",
        description='"Reads a single ZIP archive (e.g., itempictures.zip) from the root FTP directory"',
    )
    separator: Annotated[str, AfterValidator(parse_separator), WithJsonSchema(SEPARATOR)] = Field(
        default=";", description='"Defines the column separator for all CSV files. Defaults to ; if left empty"'
    )
    encoding: Annotated[str, AfterValidator(parse_encoding)] | None = Field(
        default=None, description="Of all CSV files. Default: utf-8, or what a byte order mark says"
    )
    mode: Mode = Field(
        default="incremental",
        description='full: "Clean data" as the page of the item sync means it, which erases all existing item data '
        "before the import. Here what no file names any more is removed at the end, together with all changes. Needs "
        "`imports:delete`, too",
    )
    trim_values: bool = Field(
        default=False,
        description='"Clean data" as the page of the connector\'s settings means it: trims white space from all fields',
    )
    use_deprecated_free_fields_format: bool = Field(
        default=False, description='"Enables the old single-value free field logic"'
    )
    hide_free_field_caption: bool = Field(
        default=False,
        description='"Hides the "Vrij veld" caption when the deprecated free field format is used"',
    )
    images_only_from_pim: bool = Field(
        default=False,
        description='"This process is skipped if the "Use images only from PIM" setting is active"',
    )
    pictures_by_separate_task: bool = Field(
        default=False,
        description='"Only processed if images are not set to be synced via the main FTP Picture Sync task"',
    )
    blank_cells: BlankCells = Field(
        default="keep", description="An empty cell leaves the field as it is, sets it to null, or stores empty text"
    )
    max_removed_share: float | None = Field(
        default=MAX_REMOVED_SHARE,
        ge=0,
        le=1,
        strict=True,
        description="A run is halted if it would remove a larger share of the records of a type. Null: no limit",
    )
    afterwards: Annotated[str, AfterValidator(check_afterwards)] = Field(
        default="keep",
        description="What becomes of the CSV files once all is written: `keep`, `delete`, or `move:` and a folder",
        examples=["move:/done/"],
    )
    quiet_seconds: float = Field(
        default=5.0,
        ge=0,
        le=MOST_QUIET_SECONDS,
        description="How long no file may have changed before the files are read: somebody may still be writing one",
    )

    @field_validator("filters_path")
    @classmethod
    def refuse_folder_of_items(cls, path: str, others: ValidationInfo) -> str:
        """Raises ValueError."""
        if "items_path" in others.data and is_same_folder(path, others.data["items_path"]):
            raise ValueError("must be another folder than `itemsPath`")
        return path

    @field_validator("afterwards")
    @classmethod
    def refuse_folders_that_are_read(cls, text: str, others: ValidationInfo) -> str:
        """Raises ValueError."""
        read = (others.data.get(name) for name in ("items_path", "filters_path"))
        if any(folder is not None and leads_to(parse_afterwards(text), folder) for folder in read):
            raise ValueError("must name another folder than `itemsPath` and `filtersPath`")
        return text


ITEM_SYNC_BODY: Final = json_body(
    ItemSyncBody,
    {"name": "App4Sales", "connectionId": "con_018bcfe568a1c0ffee012345", "mode": "incremental", "afterwards": "keep"},
)


class SyncRunBody(SentShape):
    mode: Mode | None = Field(default=None, description="For this run alone. Default: that of the item sync")
    dry_run: bool = Field(default=False, description="Only find out what would change, and wait for `resume`")


SYNC_RUN_BODY: Final = json_body(SyncRunBody, {}, required=False)


def parse_declaration(caller: Caller, body: dict[str, Any]) -> SyncDeclaration:
    """Raises one Refused("invalid") that names every mistake, and Refused("not_allowed") for the mode full."""
    shape = parse_shape(ItemSyncBody, {member: value for member, value in body.items() if member not in ADDED})
    settings = SyncSettings(**shape.model_dump(include=SETTINGS))
    ensure_may_sync(caller, settings.mode)
    return SyncDeclaration(shape.name, shape.connection_id, settings)


def ensure_may_sync(caller: Caller, mode: Mode) -> None:
    """A full sync removes records. Raises Refused("not_allowed")."""
    ensure_may_replace(caller, replaces=mode == "full")


def parse_run(caller: Caller, sync: StoredSync, body: dict[str, Any]) -> SyncRunBody:
    """What is asked of a run of the item sync. Raises Refused: invalid, not_allowed (mode full)."""
    shape = parse_shape(SyncRunBody, body)
    ensure_may_sync(caller, shape.mode or sync.declaration.settings.mode)
    return shape
