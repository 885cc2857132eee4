"""Roles: which of the scopes of API keys a person has in an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.auth.keys import ASKED_FOR, SCOPES


@dataclass(frozen=True, slots=True)
class PersonRole:
    """A set of scopes, and what it is good for in one sentence."""

    may: str
    scopes: frozenset[str]


READS: Final = frozenset(scope for scope in SCOPES if scope.endswith(":read")) - ASKED_FOR
STARTS: Final = frozenset({"imports:write", "exports:write", "mappings:write"})

ROLES: Final[Mapping[str, PersonRole]] = {
    "viewer": PersonRole("Sees everything and changes nothing", READS),
    "operator": PersonRole("Sees everything, starts imports and exports, and edits mapping templates", READS | STARTS),
    "admin": PersonRole("Does everything, also with API keys and people", frozenset(SCOPES)),
}
