"""By what a request was identified, and whether that still holds when what it sent is stored."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.errors import Refused
from app.runs.model import Run
from app.storage.access import accounts, tokens
from app.storage.database import Session
from app.storage.people import sessions

CHANGED: Final = "You were signed out while the request was being received, or got another account or role"

# Stores the answer to a request that has started runs, in the transaction that stores these.
KeepAnswer = Callable[[Session, Sequence[Run]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Identity:
    """A key, an access token with the key that issued it, or a session of the dashboard with who signed in."""

    id: str  # of the key or the person: what is made shows it as `createdBy`
    token_hash: bytes | None = field(default=None, repr=False)
    session_hash: bytes | None = field(default=None, repr=False)
    account_id: int | None = None  # that the session looked at
    role: str | None = None  # that its person had there
    keep_answer: KeepAnswer | None = field(default=None, repr=False, compare=False)  # of a request that is made once


async def ensure_live(session: Session, identity: Identity) -> None:
    """Identifies the sender of a body again, in the transaction that stores it: the body may have taken minutes. Key,
    token and session cannot be ended until the transaction ends. Raises Refused: not_authenticated,
    account_suspended."""
    if identity.session_hash is not None:
        if not await sessions.hold(session, identity.session_hash, account_id=identity.account_id, role=identity.role):
            raise Refused("not_authenticated", CHANGED)
        return
    if not await accounts.hold_key(session, identity.id):
        raise Refused("not_authenticated", "The API key was revoked while the request was being received")
    if identity.token_hash is not None and not await tokens.hold(session, identity.token_hash):
        raise Refused(
            "not_authenticated", "The access token has expired or was revoked while the request was being received"
        )


async def keep_answer(session: Session, sender: Identity | None, started: Sequence[Run]) -> None:
    """Whatever starts runs calls it last in the transaction that stores them: what a request starts only once, and what
    it is answered, are known together or not at all. Raises Refused("idempotency_key_in_use")."""
    if sender is not None and sender.keep_answer is not None:
        await sender.keep_answer(session, started)
