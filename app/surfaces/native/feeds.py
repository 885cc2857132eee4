"""Reads and makes the shapes of feeds, and the cursor of their files."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from app.auth.caller import Caller
from app.connections.connection import StoredConnection, load_connection
from app.connections.pull import Pull
from app.errors import Refused, describe, join_choices
from app.feeds.feed import Feed, FeedDeclaration, FileState, WatchedFile
from app.feeds.stored import WATCHES, find_folder_mistakes
from app.imports.submissions.from_connection import build_submission, check_submission, read_wanted
from app.mappings.declaring.requested import fill_options
from app.runtime import Runtime
from app.surfaces.native.nested import complaining_of, refuse
from app.surfaces.native.wire.declared import feeds as wire
from app.surfaces.native.wire.imports import ConnectionImportBody
from app.surfaces.native.wire.shape import to_utc
from app.web.bodies.mapping_choice import MappingChooser
from app.web.caller import ensure_may_replace, ensure_scope
from app.web.links import decode_cursor, encode_cursor, invalid_cursor
from app.web.surface import parse_shape

REQUEST: Final = "request"
# What an answer adds to a feed, so that an answer can be sent back as it is.
ADDED: Final = frozenset(
    ("id", "enabled", "status", "detail", "failures", "problem", "checkedAt", "nextCheckAt", "files", "createdAt",
     "updatedAt")
)  # fmt: skip


async def declare_feed(runtime: Runtime, caller: Caller, given: Mapping[str, Any]) -> FeedDeclaration:
    """Checks what a caller has sent, as the import of a file would be checked. No server is called.

    Raises Refused: not_allowed, secrets_locked, invalid.
    """
    ensure_scope(caller, "imports:write")
    body = parse_shape(wire.FeedBody, {member: value for member, value in given.items() if member not in ADDED})
    connection = await find_connection(runtime, caller, body.connection_id)
    with complaining_of(REQUEST):
        request = await read_request(runtime, caller, connection, body.request)
    declaration = FeedDeclaration(
        name=body.name,
        connection_id=body.connection_id,
        request=request,
        every=body.every,
        afterwards=body.afterwards,
        on_failed=body.on_failed,
    )
    complaints = [*find_folder_mistakes(declaration)]
    if complaints:
        raise Refused("invalid", describe(complaints), complaints)
    return declaration


async def find_connection(runtime: Runtime, caller: Caller, connection_id: str) -> StoredConnection:
    """Raises Refused: invalid, secrets_locked."""
    try:
        async with runtime.database.read() as session:
            connection = await load_connection(session, runtime.vault, caller.account_id, connection_id)
    except Refused as refused:
        raise refuse("connectionId", f"`connectionId` must be the id of a connection. {refused.detail}") from None
    scheme = connection.remote().scheme
    if scheme not in WATCHES:
        watches = join_choices(WATCHES)
        raise refuse(
            "connectionId", f"`connectionId` is a connection over {scheme}, and folders are watched over {watches}"
        )
    return connection


async def read_request(
    runtime: Runtime, caller: Caller, connection: StoredConnection, given: dict[str, Any]
) -> Mapping[str, Any]:
    """The members that were sent, without what a mapping template adds: it may add something else later. Raises
    Refused: not_allowed, invalid."""
    if "after" in given:
        raise refuse("after", "`after` is not a member of this request: a feed knows which files it has imported")
    chooser = MappingChooser(runtime, caller)
    requested = await chooser.fill_type(given)
    mapping = await chooser.choose(requested)
    parse_shape(ConnectionImportBody, fill_options(requested, mapping))
    members = parse_shape(ConnectionImportBody, requested).model_dump(by_alias=True, exclude_unset=True)
    wanted = read_wanted(members, mapping)
    ensure_may_replace(caller, replaces=wanted.replace)
    pull = Pull(connection.remote(), wanted.path, connection.id)
    await check_submission(runtime, build_submission(caller.account_id, wanted, pull, mapping))
    return members


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
