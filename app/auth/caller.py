"""Finds out who calls, and takes the same time whether a key is unknown, revoked or wrong."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.auth.credentials import Credentials, PresentedKey, PresentedToken
from app.auth.identity import Identity
from app.auth.keys import PREFIX, secret_hash
from app.auth.tokens import TOKEN_PATTERN, token_hash
from app.errors import Refused
from app.quotas.quota import OwnQuotas
from app.runs.model import AccountId
from app.storage.access import accounts, tokens
from app.storage.access.accounts import ensure_active
from app.storage.database import Database

KEY_ID = re.compile(re.escape(PREFIX) + r"[0-9a-f]{16}")
NO_KEY = (
    "The request has no API key. Send one in the header `Authorization: apiKey <id>:<secret>`, or in `X-App-Id` and "
    "`X-App-Token`"
)
# The token scope that gives access to all areas. Surfaces that have no areas can be reached with no other.
EVERY_AREA: Final = "api"
# Takes the place of a key that does not exist, so that a comparison always happens and its time reveals nothing.
NO_SUCH_KEY: Mapping[str, Any] = {"account_id": 0, "account": "", "secret_hash": bytes(32), "scopes": ()}


@dataclass(frozen=True, slots=True)
class Caller:
    """The account that calls, and by what: a key, a token of a key, or a session of the dashboard."""

    account_id: AccountId
    account: str
    identity: Identity
    scopes: frozenset[str]  # of the key, or of the person's role
    areas: frozenset[str] | None = None  # the token's scopes; None: a key, which can reach every area
    stale: bool = False  # the last use of the key has to be written again
    quotas: OwnQuotas = field(default_factory=dict)  # of the account's own

    @property
    def id(self) -> str:
        """Of the key or the person."""
        return self.identity.id

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes

    def can_reach(self, area: str) -> bool:
        return self.areas is None or bool(self.areas & {area, EVERY_AREA})


async def authenticate(database: Database, credentials: Credentials | None, *, pepper: str) -> Caller:
    """The owner of a key or a token, as it is at a moment after the call. Raises Refused: not_authenticated,
    account_suspended."""
    match credentials:
        case PresentedKey():
            return await find_key_owner(database, credentials, pepper=pepper)
        case PresentedToken():
            return await find_token_owner(database, credentials, pepper=pepper)
        case None:
            raise Refused("not_authenticated", NO_KEY)


async def find_key_owner(database: Database, presented: PresentedKey, *, pepper: str) -> Caller:
    may_be_key = KEY_ID.fullmatch(presented.key_id)
    row = await database.look_up(accounts.find_keys, presented.key_id) if may_be_key else None
    key = NO_SUCH_KEY if row is None else row
    secret_matches = hmac.compare_digest(secret_hash(presented.key_id, presented.secret, pepper), key["secret_hash"])
    if row is None or not secret_matches:
        raise Refused("not_authenticated", "The API key is unknown, revoked or wrong")
    if row["expired"]:  # said only to a caller who has its secret
        raise Refused("not_authenticated", "The API key has expired. Ask an admin of the account for a new one")
    identity = Identity(presented.key_id)
    return build_caller(row, identity)


async def find_token_owner(database: Database, presented: PresentedToken, *, pepper: str) -> Caller:
    """A token is looked up by its hash, which nobody can choose without the pepper, so the time reveals nothing."""
    may_be_token = TOKEN_PATTERN.fullmatch(presented.value)
    hashed = token_hash(presented.value, pepper)
    row = await database.look_up(tokens.find_live, hashed) if may_be_token else None
    if row is None:
        raise Refused("not_authenticated", "The access token is unknown, expired or revoked, or its key is revoked")
    areas = frozenset(row["token_scopes"])
    identity = Identity(row["key_id"], hashed)
    return build_caller(row, identity, areas)


def build_caller(row: Mapping[Any, Any], identity: Identity, areas: frozenset[str] | None = None) -> Caller:
    """Raises Refused("account_suspended"), which is said only to a caller who has the secret."""
    ensure_active(suspended=row["suspended"])
    account_id, scopes = AccountId(row["account_id"]), frozenset(row["scopes"])
    return Caller(account_id, row["account"], identity, scopes, areas, stale=row["stale"], quotas=row["quotas"])
