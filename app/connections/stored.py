"""Reads stored connections, with their secrets laid open for the moment."""

from collections.abc import Mapping
from typing import Any

from app.connections.declaration import Declared, bound_to
from app.errors import Refused
from app.runs.model import AccountId
from app.runtime import Runtime
from app.storage.access import connections
from app.storage.database import ReadSession
from app.vault import VaultError


async def connection_of(
    session: ReadSession, runtime: Runtime, account_id: AccountId, connection_id: str
) -> tuple[Mapping[Any, Any], Declared]:
    """The row, and what it declares. Raises Refused("not_found")."""
    row = await connections.get(session, account_id, connection_id)
    if row is None:
        raise Refused("not_found", "There is no connection with this id")
    return row, opened(runtime, row)


def opened(runtime: Runtime, row: Mapping[Any, Any]) -> Declared:
    """Without its secrets when the keys of this service do not open them: it can be seen, changed and deleted."""
    try:
        secrets = runtime.vault.open(row["secret"], bound_to=bound_to(row["account_id"], row["id"]))
    except VaultError:
        return Declared(row["settings"], {}, locked=True)
    return Declared(row["settings"], secrets)
