"""All sealed secrets, whatever table they are in, so that they can be sealed again with a new key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Table, select, update

from app.storage.database import ReadSession, Session
from app.storage.drafts.tables import drafts
from app.storage.tables import connections, runs
from app.storage.webhooks.tables import webhooks

# All tables with a column `secret`. A run has one only until its file has arrived or it has ended.
TABLES: Final[dict[str, Table]] = {"connections": connections, "drafts": drafts, "runs": runs, "webhooks": webhooks}


@dataclass(frozen=True, slots=True)
class Sealed:
    """The secret of the row `id`."""

    id: str
    secret: bytes


async def list_after(session: ReadSession, table: str, after: str, *, limit: int) -> Sequence[Sealed]:
    """The next secrets in the order of their ids, after the id `after`."""
    columns = TABLES[table].c
    found = await session.execute(
        select(columns.id, columns.secret)
        .where(columns.id > after, columns.secret.is_not(None))
        .order_by(columns.id)
        .limit(limit)
    )
    return [Sealed(row.id, bytes(row.secret)) for row in found]


async def replace(session: Session, table: str, row: Sealed, secret: bytes) -> bool:
    """Replaces a secret. False if it is not any more the one that was read."""
    columns = TABLES[table].c
    done = await session.execute(
        update(TABLES[table]).where(columns.id == row.id, columns.secret == row.secret).values(secret=secret)
    )
    return done.rowcount == 1
