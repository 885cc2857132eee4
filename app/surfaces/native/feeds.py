"""Makes the shapes of feeds, and the cursor of their files."""

from datetime import datetime
from typing import Any

from app.feeds.feed import Feed, FileState, WatchedFile
from app.surfaces.native.wire.declared import feeds as wire
from app.web.declared.shape import to_utc
from app.web.links import decode_cursor, encode_cursor, invalid_cursor


def feed(stored: Feed, *, whole: bool = True) -> wire.Feed:
    optional: dict[str, Any] = {
        "detail": stored.detail,
        "problem": stored.start_error,
        "checked_at": stored.looked_at,
        "next_check_at": stored.next_at if stored.enabled else None,
        "request": dict(stored.declared.request) if whole else None,
        "files": wire.FeedFileCounts(**{each: stored.files.get(each, 0) for each in FileState}) if whole else None,
    }
    return wire.Feed(
        id=stored.id,
        name=stored.declared.name,
        connection_id=stored.declared.connection_id,
        every=stored.declared.every,
        afterwards=stored.declared.afterwards,
        on_failed=stored.declared.on_failed,
        enabled=stored.enabled,
        status=stored.state,
        failures=stored.failures,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
        **{name: value for name, value in optional.items() if value is not None},
    )


def feed_file(seen: WatchedFile) -> wire.FeedFile:
    ended = seen.state in (FileState.IMPORTED, FileState.FAILED, FileState.UNKNOWN)
    optional: dict[str, Any] = {
        "size": seen.size,
        "modified": seen.modified,
        "import_id": seen.run_id,
        "afterwards": seen.disposal or ("pending" if ended else None),
        "moved_to": seen.moved_to,
        "why": seen.error,
        "gone_at": seen.gone_at,
    }
    return wire.FeedFile(
        path=seen.path,
        status=seen.state,
        seen_at=seen.seen_at,
        **{name: value for name, value in optional.items() if value is not None},
    )


def encode_file_cursor(seen: WatchedFile) -> str:
    return encode_cursor(f"{seen.seen_at.isoformat()} {seen.key}")


def decode_file_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    """The moment and the key of the last file that was seen. Raises Refused("invalid")."""
    text = decode_cursor(cursor)
    if text is None:
        return None
    moment, _, key = text.partition(" ")
    try:
        return to_utc(datetime.fromisoformat(moment)), key
    except ValueError:
        raise invalid_cursor("cursor") from None
