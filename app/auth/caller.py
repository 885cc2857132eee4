"""Tells whose key was presented, in the same time whether it is unknown, revoked or wrong."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.auth.credentials import Credentials
from app.auth.keys import PREFIX, secret_hash
from app.errors import Refused
from app.runs.model import AccountId
from app.storage import accounts
from app.storage.database import ReadSession

KEY_ID = re.compile(re.escape(PREFIX) + r"[0-9a-f]{16}")
HEADER = "send the header Authorization: apiKey <id>:<secret>"
# Compared with when there is no such key, so that the time tells nothing.
NOBODY: Mapping[str, Any] = {"account_id": 0, "account": "", "secret_hash": bytes(32), "scopes": ()}


@dataclass(frozen=True, slots=True)
class Caller:
    """An account by way of one of its keys."""

    account_id: AccountId
    account: str
    key_id: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


async def authenticate(session: ReadSession, given: Credentials | None, *, pepper: str) -> Caller:
    """The caller that a key stands for. Raises Refused("not_authenticated")."""
    if given is None:
        raise Refused("not_authenticated", f"The request holds no API key; {HEADER}")
    known = KEY_ID.fullmatch(given.key_id)
    row = await accounts.key(session, given.key_id) if known else None
    key = NOBODY if row is None else row
    right = hmac.compare_digest(secret_hash(given.key_id, given.secret, pepper), key["secret_hash"])
    if row is None or not right:
        raise Refused("not_authenticated", "The API key is unknown, revoked or wrong")
    return Caller(AccountId(key["account_id"]), key["account"], given.key_id, frozenset(key["scopes"]))
