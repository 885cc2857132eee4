"""Every sealed text there is, whatever row it stands in, so that all can be sealed anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Table, select, update

from app.storage.database import ReadSession, Session
from app.storage.tables import connections, runs

# All that have a column `secret`; a run has one only until it has ended or its file is here.
TABLES: Final[dict[str, Table]] = {"connections": connections, "runs": runs}


@dataclass(frozen=True, slots=True)
class Sealed:
    """The secret of the row `id`."""

    id: str
    secret: bytes


async def following(session: ReadSession, table: str, after: str, *, limit: int) -> Sequence[Sealed]:
    """Those whose ids follow `after`, in their order."""
    columns = TABLES[table].c
    found = await session.execute(
        select(columns.id, columns.secret)
        .where(columns.id > after, columns.secret.is_not(None))
        .order_by(columns.id)
        .limit(limit)
    )
    return [Sealed(row.id, bytes(row.secret)) for row in found]


async def replace(session: Session, table: str, row: Sealed, secret: bytes) -> bool:
    """Whether the row still had the secret that was read."""
    columns = TABLES[table].c
    done = await session.execute(
        update(TABLES[table]).where(columns.id == row.id, columns.secret == row.secret).values(secret=secret)
    )
    return done.rowcount == 1
