"""The feeds of an account: listed, loaded, created, replaced, paused and deleted."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from secrets import token_hex
from typing import Final

import msgspec

from app.connections.target import DELIVERS
from app.declarations.types import ensure_named_type
from app.errors import Complaint, Refused
from app.feeds.feed import Feed, FeedDeclaration, WatchedFile, feed_from, watched_file_from
from app.runs.model import AccountId
from app.storage.access import accounts
from app.storage.database import ReadSession, Session
from app.storage.feeds import declared, files
from app.transports.afterwards import leads_to, parse_afterwards
from app.transports.transport import split_pattern

MOST_FEEDS: Final = 100  # of an account
MOST_BYTES: Final = 8_388_608  # of all that an account's feeds say of their imports
# Protocols that list folders, and move files and delete them: those over which files are delivered.
WATCHES: Final = DELIVERS


async def list_feeds(session: ReadSession, account_id: AccountId) -> list[Feed]:
    """Without the numbers of files, and with no more of their requests than the path, ordered by name."""
    return [feed_from(row) for row in await declared.list_all(session, account_id)]


async def load_feed(session: ReadSession, account_id: AccountId, feed_id: str) -> Feed:
    """Raises Refused("not_found")."""
    row = None if "\0" in feed_id else await declared.get(session, account_id, feed_id)
    if row is None:
        raise not_found()
    return feed_from(row)


async def list_files(
    session: ReadSession, feed: Feed, *, state: str | None, after: tuple[datetime, str] | None, limit: int
) -> tuple[Sequence[WatchedFile], bool]:
    """A page of the files that the feed has seen, last seen first, and whether there are more."""
    rows = await files.list_page(session, feed.id, state=state, after=after, limit=limit + 1)
    return [watched_file_from(row) for row in rows[:limit]], len(rows) > limit


def find_folder_mistakes(declaration: FeedDeclaration) -> Iterator[Complaint]:
    """A file that was moved must not be found again, and a folder alone is no pattern."""
    if not split_pattern(declaration.path)[1]:
        reason = "`request.path` must end with the name of a file or a pattern, such as /in/*.csv"
        yield Complaint("request.path", reason)
    for name, text in (("afterwards", declaration.afterwards), ("onFailed", declaration.on_failed)):
        if leads_to(parse_afterwards(text), split_pattern(declaration.path)[0]):
            yield Complaint(name, f"`{name}` must name another folder than the one that is watched")


async def create_feed(
    session: Session, account_id: AccountId, declaration: FeedDeclaration, now: datetime, *, created_by: str
) -> Feed:
    """Stores a feed that was checked. Raises Refused: invalid (too many), name_taken."""
    feed_id = f"feed_{token_hex(12)}"
    await refuse_conflict(session, account_id, feed_id, declaration)
    values = build_columns(account_id, feed_id, declaration, now)
    await declared.add(session, {**values, "created_by": created_by})
    return await load_feed(session, account_id, feed_id)


async def replace_feed(
    session: Session, account_id: AccountId, feed_id: str, declaration: FeedDeclaration, now: datetime
) -> Feed:
    """Gives a feed another declaration, which was checked. What it has imported stays imported. Raises Refused:
    not_found, invalid (too many), name_taken."""
    await refuse_conflict(session, account_id, feed_id, declaration)
    if not await declared.replace(session, build_columns(account_id, feed_id, declaration, now)):
        raise not_found()
    return await load_feed(session, account_id, feed_id)


async def refuse_conflict(session: Session, account_id: AccountId, feed_id: str, declaration: FeedDeclaration) -> None:
    await accounts.lock(session, account_id)
    await ensure_named_type(session, account_id, declaration.request.get("type"), "type")
    others = await declared.count_others(session, account_id, feed_id)
    if others["feeds"] >= MOST_FEEDS:
        reason = f"An account has at most {MOST_FEEDS} feeds. Delete one that is not needed"
        raise Refused("invalid", reason, [Complaint("", reason)])
    if others["bytes"] + len(msgspec.json.encode(declaration.request)) > MOST_BYTES:
        reason = (
            f"The mappings of an account's feeds have at most {MOST_BYTES:,} bytes. Store mapping templates instead"
        )
        raise Refused("invalid", reason, [Complaint("mapping", reason)])
    if await declared.find_id(session, account_id, declaration.name) not in (None, feed_id):
        detail = f'There is already a feed named "{declaration.name}"'
        raise Refused("name_taken", detail, [Complaint("name", detail)])


def build_columns(
    account_id: AccountId, feed_id: str, declaration: FeedDeclaration, now: datetime
) -> dict[str, object]:
    return {
        "id": feed_id,
        "account_id": account_id,
        "name": declaration.name,
        "connection_id": declaration.connection_id,
        "request": msgspec.json.encode(declaration.request).decode(),
        "afterwards": declaration.afterwards,
        "on_failed": declaration.on_failed,
        "every": declaration.every,
        "now": now,
    }


async def enable_feed(session: Session, account_id: AccountId, feed_id: str, now: datetime, *, enabled: bool) -> Feed:
    """Pauses a feed, or goes on with it. Raises Refused("not_found")."""
    if not await declared.enable(session, {"account_id": account_id, "id": feed_id, "enabled": enabled, "now": now}):
        raise not_found()
    return await load_feed(session, account_id, feed_id)


async def delete_feed(session: Session, account_id: AccountId, feed_id: str) -> None:
    """Deletes a feed and what it has seen. Its imports go on. Raises Refused("not_found")."""
    if not await declared.remove(session, account_id, feed_id):
        raise not_found()


def not_found() -> Refused:
    return Refused("not_found", "There is no feed with this id")
