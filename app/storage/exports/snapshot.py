"""Copies records out of one snapshot of the database, and bounds how long it is held."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.storage.database import Database, DatabaseUnavailable, ReadSession, Session, translate_driver_errors
from app.storage.exports.statement import MOST_CELLS, Statement

APPLICATION: Final = "sluice export"  # in pg_stat_activity, while a snapshot is held
# JSON text holds neither of these, so as CSV with them it is written as it is: a line for each record.
RAW: Final = {"delimiter": "\1", "quote": "\2"}

# How COPY writes what would end its lines and cells.
ESCAPES: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
find_parameters = re.compile(r"\$([0-9]+)").sub
unescape = re.compile(rb"\\(.)", re.DOTALL).sub

# A process that was frozen holds its snapshot, and its connection looks alive. A cancelled statement would go on
# waiting for the client to read.
END_OLD: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = :application
    AND xact_start < now() - make_interval(secs => :seconds)"""

# PostgreSQL supposes that handing a row to another process takes as long as making ten: for wide rows that are taken
# apart it takes a hundredth. Without this an export of 500,000 records never ran in parallel.
TUPLE_COST: Final = 0.01

Write = Callable[[bytes], Awaitable[None]]


@asynccontextmanager
async def open_snapshot(database: Database, shared: str | None = None) -> AsyncIterator[ReadSession]:
    """A session in which everything that is read is of one moment; with `shared`, of the same as in the session that
    shares it. Raises DatabaseUnavailable."""
    async with database.snapshot() as session:
        if shared is not None:
            await adopt_snapshot(session, shared)
        await session.execute(text(f"SET LOCAL application_name = '{APPLICATION}'"))
        await session.execute(text(f"SET LOCAL parallel_tuple_cost = {TUPLE_COST}"))
        yield session


async def share_snapshot(session: ReadSession) -> str:
    """A name for what the session sees, good until it ends."""
    return str((await session.execute(text("SELECT pg_export_snapshot()"))).scalar_one())


async def adopt_snapshot(session: ReadSession, shared: str) -> None:
    """Has to be the first statement of the session. Raises DatabaseUnavailable if the sharing session has ended."""
    try:
        await session.execute(text(f"SET TRANSACTION SNAPSHOT '{shared}'"))  # it takes no parameter
    except DBAPIError as error:
        raise DatabaseUnavailable("The session that shares the snapshot has ended") from error


async def end_old_snapshots(session: Session, *, seconds: float) -> int:
    """Ends the connections that have held a snapshot for longer, and returns how many there were."""
    ended = await session.execute(text(END_OLD), {"application": APPLICATION, "seconds": seconds})
    return len(ended.all())


async def fetch(session: ReadSession, statement: Statement) -> Sequence[Mapping[str, Any]]:
    driver = await driver_of(session)
    with translate_driver_errors():
        rows: Sequence[Mapping[str, Any]] = await driver.fetch(statement.text, *statement.values, timeout=NO_TIMEOUT)
    return rows


async def find_server_process(session: ReadSession) -> int:
    """The process of PostgreSQL that serves the session, by which its progress can be found."""
    return int((await driver_of(session)).get_server_pid())


async def copy_cells(session: ReadSession, statement: Statement, write: Write, *, delimiter: str) -> int:
    """Writes the result as CSV, and returns the number of its rows."""
    return await copy(session, statement, write, {"delimiter": delimiter})


async def copy_objects(session: ReadSession, statement: Statement, write: Write) -> int:
    """Writes a result of one column of JSON text as lines, and returns their number."""
    return await copy(session, statement, write, RAW)


async def copy_lines(session: ReadSession, statement: Statement, write: Write) -> int:
    """Writes a result of one column, which holds whole lines, and returns their number."""

    async def write_as_it_is(data: bytes) -> None:
        """COPY sends each row as a whole, so no piece ends within an escape."""
        await write(unescape(lambda escaped: ESCAPES.get(escaped[1], escaped[1]), data) if b"\\" in data else data)

    return await copy(session, statement, write_as_it_is, {"format": "text"})


async def copy(session: ReadSession, statement: Statement, write: Write, options: dict[str, str]) -> int:
    """`write` gets pieces of any size, and the server waits for it. There is no timeout: the caller has one."""
    driver = await driver_of(session)
    with translate_driver_errors():
        query = await write_out(driver, statement)
        copying = {"format": "csv", **options}
        status: str = await driver.copy_from_query(query, output=write, timeout=NO_TIMEOUT, **copying)
    return int(status.removeprefix("COPY "))


async def write_out(driver: Any, statement: Statement) -> str:
    """The statement with its values in it: COPY takes no parameters. The server itself quotes them, some at a time: the
    driver would have all of them quoted at once, and PostgreSQL ends at 1,664 columns."""
    quoted: list[str] = []
    given = list(zip(statement.values, statement.types, strict=True))
    for start in range(0, len(given), MOST_CELLS):
        values = given[start : start + MOST_CELLS]
        casts = (
            f"quote_nullable(CAST(CAST(${number} AS {cast}) AS text))" for number, (_, cast) in enumerate(values, 1)
        )
        quoted += await driver.fetchrow(f"SELECT {', '.join(casts)}", *(value for value, _ in values))
    return find_parameters(lambda found: quoted[int(found[1]) - 1], statement.text)


NO_TIMEOUT: Final = 1e9  # None would be that of the connection


async def driver_of(session: ReadSession) -> Any:
    return (await session.get_raw_connection()).driver_connection
