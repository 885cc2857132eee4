"""Who looks at a page: a person or an API key, in one account at a time, with the scopes of a role or of the key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.runs.model import AccountId

Theme = Literal["system", "light", "dark"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in."""

    account_id: AccountId
    account: str  # its name
    name: str  # the person's name or address, or the label of the key
    role: str  # viewer, operator, admin; or "key"
    scopes: frozenset[str]
    theme: Theme = "system"
    accounts: Mapping[int, str] = field(default_factory=dict)  # id -> name of those that the person may switch to

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes
