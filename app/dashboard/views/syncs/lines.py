"""Item syncs in a list, and the settings of one in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.dashboard.views.clock.schedules import ScheduleLine
from app.dashboard.views.syncs.form import AFTERWARDS, BLANKS, FLAGS, MODES, SEPARATOR_WORDS, WORD_OF
from app.dashboard.views.syncs.runs import SyncRunLine
from app.dashboard.words import write_duration, write_percent
from app.syncs.stored import StoredSync
from app.transports.afterwards import parse_afterwards

MODE_WORDS = {value: words for value, words, _ in MODES}
BLANK_WORDS = {value: words for value, words, _ in BLANKS}
AFTERWARDS_WORDS = {value: words for value, words, _ in AFTERWARDS}


@dataclass(frozen=True, slots=True)
class SyncLine:
    """An item sync in the list."""

    name: str
    path: str
    mode: str
    schedules: Sequence[ScheduleLine]
    last: SyncRunLine | None


def describe_sync(stored: StoredSync, schedules: Sequence[ScheduleLine], last: SyncRunLine | None) -> SyncLine:
    declaration = stored.declaration
    mode = MODE_WORDS[declaration.settings.mode]
    return SyncLine(declaration.name, f"/app/syncs/{stored.id}", mode, schedules, last)


def describe_settings(stored: StoredSync) -> list[tuple[str, str]]:
    """Each setting with its value, in the words of the form."""
    settings = stored.declaration.settings
    flags = {"trimValues": settings.trim_values, "imagesOnlyFromPim": settings.images_only_from_pim}
    flags |= {"useDeprecatedFreeFieldsFormat": settings.use_deprecated_free_fields_format}
    flags |= {"hideFreeFieldCaption": settings.hide_free_field_caption}
    flags |= {"picturesBySeparateTask": settings.pictures_by_separate_task}
    afterwards, share = parse_afterwards(settings.afterwards), settings.max_removed_share
    folder = f" {afterwards.folder}" if afterwards.folder else ""
    return [
        ("Mode", MODE_WORDS[settings.mode]),
        ("Folder of items", settings.items_path),
        ("Folder of item filters", settings.filters_path),
        ("ZIP archive of item images", settings.images_path),
        ("Separator", SEPARATOR_WORDS[WORD_OF[settings.separator]]),
        ("Encoding", settings.encoding or "UTF-8, or what the file shows"),
        ("An empty cell", BLANK_WORDS[settings.blank_cells]),
        ("Files that were read", f"{AFTERWARDS_WORDS[afterwards.action]}{folder}"),
        ("Stops when it would remove", "no limit" if share is None else f"more than {write_percent(share * 100)}"),
        *([("Files must not have changed for", write_duration(quiet))] if (quiet := settings.quiet_seconds) else []),
        *((FLAGS[name][0], "Yes") for name, on in flags.items() if on),
    ]
