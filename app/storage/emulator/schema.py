"""Makes the schema `emulator`, whose `now()` and `clock_timestamp()` come before PostgreSQL's own."""

from typing import Final

from sqlalchemy import text

from app.storage.database import Session

# Everything that processes share is dated by PostgreSQL's clock. With this path another one takes its place.
SEARCH_PATH: Final = "emulator, pg_catalog, public"

STATEMENTS: Final = (
    "CREATE SCHEMA emulator",
    "CREATE TABLE emulator.clock (shift interval NOT NULL)",
    "INSERT INTO emulator.clock VALUES ('0')",
    """CREATE FUNCTION emulator.now() RETURNS timestamptz LANGUAGE sql STABLE
        AS 'SELECT pg_catalog.now() + (SELECT shift FROM emulator.clock)'""",
    """CREATE FUNCTION emulator.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
        AS 'SELECT pg_catalog.clock_timestamp() + (SELECT shift FROM emulator.clock)'""",
    # `spec`: app.emulator.faults.Fault. `reached`: how often its place was come to.
    """CREATE TABLE emulator.faults (
        number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        spec jsonb NOT NULL,
        reached integer NOT NULL DEFAULT 0)""",
)


async def create_schema(session: Session) -> None:
    for statement in STATEMENTS:
        await session.execute(text(statement))
