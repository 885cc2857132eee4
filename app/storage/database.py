"""The way to PostgreSQL: a pool of connections, and the two kinds of session that it gives out."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NewType

from asyncpg.exceptions import InterfaceError, InternalClientError, PostgresError
from sqlalchemy import event, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio.engine import AsyncConnection, AsyncEngine, create_async_engine

from app.addresses import explain_silence, join_port
from app.errors import Retryable
from app.observe.acting import ACTING
from app.storage.sharing.shared_reads import MOST_KEYS, Found, Key, ReadByKey, SharedReads

# Sessions that write and sessions that only read have different types, so that a signature shows which one is needed.
ReadSession = NewType("ReadSession", AsyncConnection)
Session = NewType("Session", ReadSession)

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
OLDEST_SERVER = 150_000  # PostgreSQL 15, as server_version_num
UNDEFINED_TABLE = "42P01"
VERSION_AND_TIMEOUT = """
SELECT current_setting('server_version_num') AS version,
    current_setting('idle_in_transaction_session_timeout') AS timeout"""
# For the rest of the transaction, to the triggers that write the audit log.
TELL_WHO_ACTS = text("SELECT set_config('sluice.acting', :acting, true)")
REACH_SECONDS = 3.0  # for a server that is asked whether it is there
# Why a server that is there cannot be used at the moment, by SQLSTATE.
BUSY = {"57P03": "it is starting or stopping", "53300": "it has no free connection"}
# What of the address is wrong, by SQLSTATE or its class.
REFUSALS = {
    "08P01": "is a pooler that refuses a setting of Sluice. Set ignore_startup_parameters = options in PgBouncer",
    "28": "refuses the user or the password in SLUICE_DATABASE_URL. Special characters are percent-encoded there",
    "3D000": "does not have the database that SLUICE_DATABASE_URL names",
    "42501": "does not let this user connect to the database that SLUICE_DATABASE_URL names",
}

# What the plan of a run may hold that this code works off rightly. It rises with whatever an older worker would do
# wrong or fail at: then older workers leave such runs alone. Release 0.1 has 1; 3 knows imports that remove records.
PLAN_VERSION = 3

# A pooler hands these on to PostgreSQL.
TRACKED_SETTINGS = {"application_name": "sluice", "timezone": "UTC"}
# They are all sent as one parameter, `options`, so that a pooler, which cannot hand them on, has to overlook one name.
SERVER_SETTINGS = {
    "jit": "off",
    # A statement that has waited for a lock has to see what was committed meanwhile.
    "default_transaction_isolation": "read committed",
    # A frozen worker may hold record locks in an open transaction: the server ends it, so that other workers can go on.
    "idle_in_transaction_session_timeout": "15000",
    # A client that has gone away is noticed during a long merge, and not only when the answer is sent.
    "client_connection_check_interval": "5000",
    # A session that loses its client amid a statement is not idle. It would hold locks until TCP gives up: 15 minutes.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "5",
    "tcp_user_timeout": "15000",
}
NO_TIMEOUT = (
    "does not end transactions that are idle, because a pooler keeps the settings of Sluice from it. Run ALTER ROLE … "
    "SET idle_in_transaction_session_timeout = '15s' for the user in SLUICE_DATABASE_URL, and RECONNECT in PgBouncer"
)
# What PostgreSQL says if a pooler brings a statement to another session than the one that has prepared it.
UNPREPARED = ("26000", "42P05")
NO_STATEMENTS = (
    "A pooler before PostgreSQL loses prepared statements. Use PgBouncer 1.21 or newer, with max_prepared_statements"
)


READ_ONLY = "25006"  # it can only be read: it is a standby, or its operator wants it so
# Beginnings of the SQLSTATEs that mean trouble of the server, and not of what was asked of it.
PASSING = (
    "08",  # the connection
    "0A000",  # a prepared statement whose table was migrated since; it is prepared again
    READ_ONLY,
    "25P03",  # idle too long
    "40",  # a deadlock or a conflict
    "55P03",  # a lock that could not be had in time
    "53",  # a full disk, no memory, too many connections
    "57P",  # it stops or starts
    "58",  # the system or a disk
)


class DatabaseUnavailable(Retryable):
    """PostgreSQL did not answer, or the connection broke."""

    part = "database"


class DatabaseShort(DatabaseUnavailable):
    """PostgreSQL has too little of something for this statement. It may pass, or come again with every try."""


# What it is short of, by SQLSTATE. Connections are not among them: there are others in a moment.
SHORT_OF = {
    "53100": "its disk is full",
    "53200": "it has too little memory",
    "53400": "the statement reached a limit of its configuration, such as temp_file_limit",
}


class DatabaseRefused(ValueError):
    """PostgreSQL answers, but the address has a wrong user, password or database."""


class SchemaUnfit(Retryable):
    """The database has a schema that this code cannot use: it is not migrated yet, or too new."""

    part = "database"


class Database:
    """A pool of connections to one PostgreSQL database. A transaction commits at the end of its block and rolls back on
    any exception. Trouble with the connection is raised as DatabaseUnavailable."""

    def __init__(self, url: str, *, pool_size: int, search_path: str = "public") -> None:
        settings = TRACKED_SETTINGS | {"options": format_options(SERVER_SETTINGS | {"search_path": search_path})}
        self._engine: AsyncEngine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=30,
            connect_args={"server_settings": settings, "timeout": 10, "command_timeout": 120},
        )

        event.listen(self._engine.sync_engine, "handle_error", leave_standby)
        # No BEGIN and ROLLBACK around a single SELECT: they took half of the time of a poll.
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._shared: dict[ReadByKey[ReadSession, Any, Any], SharedReads[Any, Any, Any]] = {}

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        with translate_errors():
            async with self._engine.begin() as connection:
                if (acting := ACTING.get()) is not None:
                    await connection.execute(TELL_WHO_ACTS, {"acting": acting.encode()})
                yield Session(ReadSession(connection))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        with translate_errors():
            async with self._reading.connect() as connection:
                yield ReadSession(connection)

    async def look_up(
        self, read: ReadByKey[ReadSession, Key, Found], key: Key, *, most: int = MOST_KEYS
    ) -> Found | None:
        """What `read`, a function of a module, finds under the key: see `SharedReads`. For what is asked often."""
        if read not in self._shared:
            self._shared[read] = SharedReads(self.read, read, most)
        found: Found | None = await self._shared[read].get(key)
        return found

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[ReadSession]:
        """A session that reads only what was committed before its first statement. What breaks it off ends the
        connection: the server could go on sending for a long time."""
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with translate_errors():
            async with self._engine.execution_options(**options).connect() as connection:
                try:
                    yield ReadSession(connection)
                except BaseException:
                    await connection.invalidate()
                    raise

    async def reach(self) -> int:
        """The server's version, as below, within REACH_SECONDS. For the start of a process: what is wrong names the
        server. Raises DatabaseUnavailable, and DatabaseRefused also if a pooler has not handed on our settings."""
        try:
            async with asyncio.timeout(REACH_SECONDS), self._reading.connect() as connection:
                found = (await connection.execute(text(VERSION_AND_TIMEOUT))).one()
        except (DBAPIError, OSError) as error:  # a TimeoutError is an OSError
            raise explain_no_connection(error, self._engine.url) from None
        if found.timeout == "0":
            raise DatabaseRefused(f"PostgreSQL at {place_of(self._engine.url)} {NO_TIMEOUT}")
        return int(found.version)

    async def server_version(self) -> int:
        """The server's version as a number, such as 180006 for 18.6."""
        async with self.read() as session:
            return int((await session.execute(text("SHOW server_version_num"))).scalar_one())


async def find_schema_trouble(session: ReadSession) -> str | None:
    """Why this code cannot use the schema of the database, in words for the operator; None if it can.

    A schema that is older than this code was never meant for it. A newer one says itself, in the table `schema_compat`
    (since 0006), which is the oldest schema whose code still works with it."""
    needed, found = newest_migration(), await read_value(session, "SELECT version_num FROM alembic_version")
    if found is None:
        return f"The database has no schema, this version needs {needed}. Run `sluice migrate`"
    if found < needed:
        return f"The database has schema {found}, this version needs {needed}. Run `sluice migrate`"
    oldest = None if found == needed else await read_value(session, "SELECT oldest FROM schema_compat")
    if oldest is not None and oldest > needed:
        return f"The database has schema {found}, which is too new for this version. Install the newer version here"
    return None


@cache
def newest_migration() -> str:
    """The schema that this code was written for. The names of the migrations begin with their revision, so that a
    server need not load Alembic (10 MB) to find out."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("*_*.py"))


async def read_value(session: ReadSession, statement: str) -> str | None:
    """The only value; None without a row or without the table."""
    try:
        value: str | None = (await session.execute(text(statement))).scalar()
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != UNDEFINED_TABLE:
            raise
        return None
    return value


def leave_standby(context: ExceptionContext) -> None:
    """Closes the connections to a server that has become read-only: the address may lead to another one by now."""
    if getattr(context.original_exception, "sqlstate", "") == READ_ONLY:
        context.is_disconnect = True


def format_options(settings: Mapping[str, str]) -> str:
    """As on PostgreSQL's command line, where a backslash keeps a space from ending a value."""
    return " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in settings.items())


def place_of(url: URL) -> str:
    return join_port(url.host or "localhost", url.port or 5432)


def explain_no_connection(error: DBAPIError | OSError, url: URL) -> DatabaseUnavailable | DatabaseRefused:
    """In words of our own: the driver's quote the name of the user."""
    where = place_of(url)
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    for refused, reason in REFUSALS.items():
        if state.startswith(refused):
            return DatabaseRefused(f"PostgreSQL at {where} {reason}")
    trouble = BUSY.get(state) or explain_silence(error, REACH_SECONDS)
    return DatabaseUnavailable(f"PostgreSQL (SLUICE_DATABASE_URL) does not answer at {where}: {trouble}")


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turns the driver's errors about the connection, but not those about a statement, into DatabaseUnavailable."""
    try:
        yield
    except (OperationalError, PoolTimeout, OSError, TimeoutError) as error:
        raise DatabaseUnavailable("PostgreSQL did not answer") from error
    except InternalClientError as error:  # what asyncpg calls a statement on a connection that has just broken
        raise DatabaseUnavailable("PostgreSQL closed the connection") from error
    except DBAPIError as error:
        if find_state(error) in UNPREPARED:
            raise DatabaseUnavailable(NO_STATEMENTS) from error
        if not (error.connection_invalidated or find_state(error).startswith(PASSING)):
            raise
        raise DatabaseUnavailable("PostgreSQL closed the connection or rolled the transaction back") from error


@contextmanager
def translate_driver_errors() -> Iterator[None]:
    """Turns trouble with the connection or the server into DatabaseUnavailable: SQLAlchemy sees nothing of COPY,
    and of whatever else is asked of the driver itself."""
    try:
        yield
    except (InterfaceError, InternalClientError) as error:
        raise DatabaseUnavailable("PostgreSQL closed the connection") from error
    except PostgresError as error:
        if not str(error.sqlstate or "").startswith(PASSING):
            raise
        if error.sqlstate in SHORT_OF:
            raise DatabaseShort(SHORT_OF[error.sqlstate]) from error
        raise DatabaseUnavailable("PostgreSQL closed the connection or rolled the transaction back") from error


def find_state(error: DBAPIError) -> str:
    """The SQLSTATE; "" if there is none."""
    # Where a prepared statement has become invalid, SQLAlchemy passes the SQLSTATE on only as that of the cause.
    causes = (error.orig, getattr(error.orig, "__cause__", None))
    return next((str(state) for state in (getattr(cause, "sqlstate", None) for cause in causes) if state), "")


def driver_url(url: str) -> str:
    """`postgresql://…` as SQLAlchemy needs it for asyncpg (2.1 would use psycopg otherwise). Raises ValueError."""
    parsed = make_url(url)
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError("SLUICE_DATABASE_URL must begin with postgresql://")
    return parsed.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
