"""Feeds as callers declare them: checked as the import of a file would be."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from app.auth.caller import Caller
from app.connections.connection import StoredConnection, load_connection
from app.connections.pull import Pull
from app.errors import Refused, describe, join_choices
from app.feeds.feed import Feed, FeedDeclaration
from app.feeds.stored import WATCHES, find_folder_mistakes
from app.imports.submissions.from_connection import build_submission, check_submission, read_wanted
from app.mappings.declaring.requested import fill_options
from app.runtime import Runtime
from app.storage.database import ReadSession
from app.transports.afterwards import parse_afterwards
from app.web.bodies.mapping_choice import MappingChooser
from app.web.caller import ensure_may_replace, ensure_scope
from app.web.declared.connection_imports import ConnectionImportBody, ensure_may_let_go
from app.web.declared.nested import complaining_of, refuse
from app.web.declared.shape import RunName, SentShape, json_body
from app.web.surface import parse_shape

REQUEST: Final = "request"
# What an answer adds to a feed, so that an answer can be sent back as it is.
ADDED: Final = frozenset(
    ("id", "enabled", "status", "detail", "failures", "problem", "checkedAt", "nextCheckAt", "files", "createdAt",
     "updatedAt")
)  # fmt: skip


SHORTEST_EVERY: Final = 10  # seconds
LONGEST_EVERY: Final = 86_400


def check_afterwards(text: str) -> str:
    """Raises ValueError."""
    parse_afterwards(text)
    return text


def check_on_failed(text: str) -> str:
    """Raises ValueError."""
    if text == "delete":
        raise ValueError("must be keep, or move: with a folder, such as move:/failed")
    return check_afterwards(text)


class FeedBody(SentShape):
    name: RunName = Field(
        description="Unique among the feeds of the account. Its imports are called so, unless `request` names them"
    )
    connection_id: str = Field(max_length=100, description="An FTP, FTPS, SFTP or S3 connection")
    request: dict[str, Any] = Field(
        description="What is imported: the body of POST /connections/{id}/imports without `after`. Its `path` is the "
        "folder with a pattern, `/in/*.csv`. Connection and mapping template count as they are when an import starts"
    )
    every: int = Field(
        default=60, ge=SHORTEST_EVERY, le=LONGEST_EVERY, description="Seconds from one look at the folder to the next"
    )
    afterwards: Annotated[str, AfterValidator(check_afterwards)] = Field(
        default="keep",
        max_length=1_000,
        description="What becomes of a file of which no row has failed: keep, delete, or move: with a folder, which "
        "must exist",
        examples=["move:/done"],
    )
    on_failed: Annotated[str, AfterValidator(check_on_failed)] = Field(
        default="keep",
        max_length=1_000,
        description="What becomes of a file whose import has failed, as a whole or in some rows: keep, or move: with a "
        "folder",
        examples=["move:/failed"],
    )


FEED_BODY: Final = json_body(
    FeedBody,
    {
        "name": "Supplier A",
        "connectionId": "con_3f2a9c41d07b5e8806f1a2b3",
        "request": {"path": "/in/*.csv", "type": "contacts"},
        "every": 60,
        "afterwards": "move:/done",
    },
)


async def declare_feed(runtime: Runtime, caller: Caller, given: Mapping[str, Any]) -> FeedDeclaration:
    """Checks what a caller has sent, as the import of a file would be checked. No server is called.

    Raises Refused: not_allowed, secrets_locked, invalid.
    """
    ensure_scope(caller, "imports:write")
    body = parse_shape(FeedBody, {member: value for member, value in given.items() if member not in ADDED})
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
    ensure_may_replace(caller, replaces=wanted.removes)
    pull = Pull(connection.remote(), wanted.path, connection.id)
    await check_submission(runtime, build_submission(caller.account_id, wanted, pull, mapping))
    return members


async def ensure_may_resume(session: ReadSession, caller: Caller, feed: Feed) -> None:
    """Whether the caller may let go on what a feed starts. Raises Refused("not_allowed")."""
    ensure_scope(caller, "imports:write")
    await ensure_may_let_go(session, caller, feed.declared.request)
