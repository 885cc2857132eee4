"""Records in hash partitions: no statement asks for what only a table on one machine can give back."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import product
from pathlib import Path

import asyncpg
import pytest

from app.embedded import Servers
from app.runs.model import AccountId
from app.runtime import Runtime, open_runtime
from app.storage import notices
from app.storage.access import accounts
from app.storage.merge import CHANGED_AT, MERGED, MergeTarget, Mode, compare
from tests.engine.conftest import ImportEngine, law
from tests.support.servers import new_database, partition_records, redis_number, settings_for
from tests.support.undoing import dump, undo

BEFORE = "_email,_name\na@x.io,Ann\nb@x.io,Bob\n"
FILE = "_email,_name\na@x.io,Anna\nb@x.io,Bob\nnew@x.io,New\na@x.io,Anne\nnew@x.io,Newer\n"


@pytest.fixture(scope="session")
def divided(servers: Servers) -> str:
    url = new_database(servers, "partitioned")
    partition_records(url, 4)
    return url


@pytest.fixture
async def partitioned(servers: Servers, divided: str, tmp_path: Path) -> AsyncIterator[Runtime]:
    async with open_runtime(settings_for(tmp_path, divided, redis_number(servers, 0))) as opened:
        yield opened


async def engine_of(runtime: Runtime, name: str) -> ImportEngine:
    async with runtime.database.transaction() as session:
        return ImportEngine(runtime, AccountId(await accounts.account_named(session, name)))


async def test_records_in_partitions_are_written_counted_and_brought_back(partitioned: Runtime) -> None:
    for name, options in (("direct", {}), ("staged", {"staged": True}), ("filled", {"only_empty": True})):
        engine = await engine_of(partitioned, name)
        first = await engine.run(BEFORE, **options)
        before = await dump(engine)
        imported = await engine.run(FILE, **options)
        law(imported)
        changed = 0 if name == "filled" else 2
        counted = (first.created, imported.created, imported.updated, imported.unchanged)
        assert counted == (2, 1, 3 if changed else 0, 1 if changed else 4)
        assert (await undo(engine, imported)).state == "finished"
        assert await dump(engine) == before
    where = await engine.sql("SELECT count(DISTINCT tableoid) AS parts FROM records")
    assert where[0]["parts"] > 1


async def test_all_unique_indexes_of_records_have_the_account(database_url: str) -> None:
    """Else they could not be divided by it; nor could what refers to other tables, or numbers its rows."""
    connection = await asyncpg.connect(database_url)
    without = await connection.fetch(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'records'::regclass AND indisunique "
        "AND NOT (SELECT attnum FROM pg_attribute WHERE attrelid = indrelid AND attname = 'account_id') = ANY(indkey)"
    )
    foreign = await connection.fetch(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'records'::regclass AND contype = 'f'"
    )
    numbered = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'records'::regclass "
        "AND (attidentity <> '' OR attgenerated <> '')"
    )
    assert (without, foreign, numbered) == ([], [], [])
    await connection.close()


OTHERS = re.compile(r"\(SELECT .* NOT IN \('null', '\"\"'\)\)")  # of the mode `fill`: a generated column takes no query
VOLATILITY = "SELECT DISTINCT provolatile::text FROM pg_proc WHERE proname = ANY($1)"


@pytest.mark.parametrize("mode", [*MERGED, "keep"])
async def test_what_a_merge_compares_and_sets_is_immutable(database_url: str, mode: Mode) -> None:
    """Citus takes nothing else, and PostgreSQL nothing else for a generated column. Whether a record is too large is
    left out: it cannot be asked so, which decision 67 has."""
    expressions = {"moment": ("timestamptz", CHANGED_AT)}
    for number, (touch, flat, fixed) in enumerate(product((False, True), (False, True), (None, "code"))):
        target = MergeTarget(1, "contacts", "run", 7, mode, unique_keys=touch, fixed=fixed, flat=flat)
        met = compare(target, held="r", given="excluded", number="excluded.run_seq", touch=touch)
        kinds = {"mine": "boolean", "changes": "boolean", "merged": "jsonb"}
        expressions |= {f"{name}_{number}": (kind, met[name]) for name, kind in kinds.items()}
    connection = await asyncpg.connect(database_url)
    columns = [
        f"{name} {kind} GENERATED ALWAYS AS ({flatten(text)}) STORED" for name, (kind, text) in expressions.items()
    ]
    await connection.execute(
        "CREATE FUNCTION pg_temp.others(jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE RETURN $1;"
        "CREATE TEMPORARY TABLE scratch (held_data jsonb, held_updated_at timestamptz, held_run_seq bigint, "
        "given_data jsonb, given_updated_at timestamptz, given_run_seq bigint, " + ", ".join(columns) + ")"
    )
    asked = await connection.fetch(VOLATILITY, ["jsonb_each", "jsonb_object_agg"])
    await connection.close()
    assert len(columns) == 25
    assert "v" not in {row["provolatile"] for row in asked}


def flatten(expression: str) -> str:
    return OTHERS.sub("pg_temp.others(held_data)", expression.replace("excluded.", "given_").replace("r.", "held_"))


async def test_the_next_try_of_a_mail_is_reckoned_without_a_zone(database_url: str) -> None:
    """With now() as a constant it is immutable."""
    moment = notices.TELL_AT.replace("now()", "begun").replace(":lease", "60").replace(":longest", "3600")
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "CREATE TEMPORARY TABLE scratch (begun timestamptz, finished_at timestamptz, held_at timestamptz, "
        f"tell_at timestamptz GENERATED ALWAYS AS ({moment}) STORED)"
    )
    await connection.execute("INSERT INTO scratch VALUES ('2026-03-29 00:30Z', '2026-03-29 00:00Z')")
    told = await connection.fetchval("SELECT tell_at - begun FROM scratch")
    await connection.close()
    assert told == timedelta(minutes=30)  # also where clocks are changed meanwhile
