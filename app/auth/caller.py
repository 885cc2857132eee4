"""Tells whose key or token was read_credentials, in the same time whether it is unknown, revoked or wrong."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.auth.credentials import Credentials, PresentedKey, PresentedToken
from app.auth.keys import PREFIX, secret_hash
from app.auth.tokens import TOKEN_PATTERN, token_hash
from app.errors import Refused
from app.runs.model import AccountId
from app.storage.access import accounts, tokens
from app.storage.database import ReadSession

KEY_ID = re.compile(re.escape(PREFIX) + r"[0-9a-f]{16}")
HEADER = "send the header Authorization: apiKey <id>:<secret>, or X-App-Id and X-App-Token"
# The token scope that opens all areas; the only one that opens surfaces which know no areas.
EVERY_AREA: Final = "api"
# Compared with when there is no such key, so that the time tells nothing.
NOBODY: Mapping[str, Any] = {"account_id": 0, "account": "", "secret_hash": bytes(32), "scopes": ()}


@dataclass(frozen=True, slots=True)
class Caller:
    """An account by way of one of its keys, or of a token that a key has made."""

    account_id: AccountId
    account: str
    key_id: str
    scopes: frozenset[str]  # the key's
    areas: frozenset[str] | None = None  # the token's scopes; None: the key itself, which no area bounds

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes

    def can_reach(self, area: str) -> bool:
        return self.areas is None or bool(self.areas & {area, EVERY_AREA})


async def authenticate(session: ReadSession, given: Credentials | None, *, pepper: str) -> Caller:
    """The caller that a key or a token stands for. Raises Refused("not_authenticated")."""
    match given:
        case PresentedKey():
            return await holder_of_key(session, given, pepper=pepper)
        case PresentedToken():
            return await holder_of_token(session, given, pepper=pepper)
        case None:
            raise Refused("not_authenticated", f"The request holds no API key; {HEADER}")


async def holder_of_key(session: ReadSession, given: PresentedKey, *, pepper: str) -> Caller:
    known = KEY_ID.fullmatch(given.key_id)
    row = await accounts.key(session, given.key_id) if known else None
    key = NOBODY if row is None else row
    right = hmac.compare_digest(secret_hash(given.key_id, given.secret, pepper), key["secret_hash"])
    if row is None or not right:
        raise Refused("not_authenticated", "The API key is unknown, revoked or wrong")
    return Caller(AccountId(key["account_id"]), key["account"], given.key_id, frozenset(key["scopes"]))


async def holder_of_token(session: ReadSession, given: PresentedToken, *, pepper: str) -> Caller:
    """Found by its hash, which nobody can steer without the pepper: how long that takes tells nothing."""
    row = await tokens.live(session, token_hash(given.value, pepper)) if TOKEN_PATTERN.fullmatch(given.value) else None
    if row is None:
        raise Refused("not_authenticated", "The access token is unknown, expired or revoked, or its key is revoked")
    areas = frozenset(row["token_scopes"])
    return Caller(AccountId(row["account_id"]), row["account"], row["key_id"], frozenset(row["scopes"]), areas)
