"""Who acts, and from where: every transaction tells it to PostgreSQL, whose triggers write the audit log."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from typing import Final, Literal

ActorKind = Literal["key", "person", "operator", "service"]


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts (`kind`, `id`), and the request in which it happens."""

    kind: ActorKind = "service"
    id: str | None = None  # of the key or the person
    address: str | None = None  # of the client, as trusted proxies tell it
    surface: str | None = None
    request_id: str | None = None

    def encode(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})


# Not an argument, for the reason for which the log has its request id in one: a transaction that does not tell who
# opens it would be noted as the service's own. Workers leave it unset.
ACTING: Final[ContextVar[Acting | None]] = ContextVar("acting", default=None)


@contextmanager
def acting(who: Acting) -> Iterator[None]:
    """In the block, transactions are opened in this name."""
    token = ACTING.set(who)
    try:
        yield
    finally:
        ACTING.reset(token)


def act_as(kind: ActorKind, id: str) -> None:
    """From here on, until the request ends, this key or person acts."""
    ACTING.set(replace(ACTING.get() or Acting(), kind=kind, id=id))
