"""Pages of records: whichever way they are gone through, each record is seen once, and the counts are right."""

import random
import re
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import get_args

import pytest
from sqlalchemy import RowMapping, text

from app.storage.listing import (
    AFTER,
    LISTED,
    Order,
    OrderField,
    Page,
    RecordQuery,
    cursor_clause,
    list_after_cursor,
    list_page,
    order_clauses,
    parameters_of,
    where_clause,
)
from tests.engine.conftest import ImportEngine
from tests.support.servers import PARTITIONS, execute

BEGAN = datetime(2024, 5, 1, 10, 0, 0, tzinfo=UTC)
MOMENTS: tuple[OrderField, ...] = ("created_at", "updated_at")

INSERT = """
INSERT INTO records (account_id, type, key, data, created_at, updated_at, run_id, run_seq, run_row)
SELECT :account_id, :type, k, jsonb_build_object('source_id', s, 'email', 'C' || s || '@Example.com'), c, u, 'run', 1, 1
FROM unnest(CAST(:keys AS text[]), CAST(:sources AS text[]), CAST(:made AS timestamptz[]),
    CAST(:changed AS timestamptz[])) AS given(k, s, c, u)"""


async def fill(engine: ImportEngine, moments: list[datetime], type: str = "customers") -> set[str]:
    """Customers made at these moments; a third of them is changed later, some at one moment. Their keys."""
    rolled = random.Random(7)
    keys = [f"cust_{number:04d}" for number in rolled.sample(range(len(moments)), len(moments))]
    sources = [None if number % 10 == 0 else f"{rolled.randrange(50)}" for number in range(len(moments))]
    changed = [at + timedelta(days=rolled.randrange(1, 5)) if n % 3 == 0 else at for n, at in enumerate(moments)]
    values = {"keys": keys, "sources": sources, "made": moments, "changed": changed}
    await engine.sql(INSERT, account_id=engine.account_id, type=type, **values)
    return set(keys)


def within_a_second(number: int) -> list[datetime]:
    """Each its own microsecond, all of one second, as an import makes them."""
    return [BEGAN + timedelta(microseconds=each) for each in range(number)]


def with_ties(number: int) -> list[datetime]:
    return [BEGAN + timedelta(microseconds=random.Random(each).randrange(number // 6)) for each in range(number)]


async def behind(engine: ImportEngine, wanted: RecordQuery, limit: int) -> Page:
    async with engine.runtime.database.read() as session:
        return await list_after_cursor(session, wanted, limit=limit)


async def walked(engine: ImportEngine, order: Order, limit: int) -> list[RowMapping]:
    """All customers, each page begun behind the last moment of the one before."""
    seen: list[RowMapping] = []
    at: datetime | None = None
    while True:
        page = await behind(engine, RecordQuery(engine.account_id, "customers", {}, order, at), limit)
        seen += page.rows
        assert len(page.rows) >= limit or not page.more
        if not page.more:
            return seen
        at = page.rows[-1][order.field]


@pytest.mark.parametrize("limit", [1, 7, 100])
@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("field", MOMENTS)
@pytest.mark.parametrize("spread", [within_a_second, with_ties])
async def test_a_walk_by_moments_sees_every_record_once(
    engine: ImportEngine, spread: object, field: OrderField, ascending: bool, limit: int
) -> None:
    assert callable(spread)
    keys = await fill(engine, spread(300))
    seen = await walked(engine, Order(field, ascending=ascending), limit)
    assert len(seen) == 300
    assert {row["key"] for row in seen} == keys
    places = [(row[field], row["key"]) for row in seen]
    assert places == sorted(places, reverse=not ascending)


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("field", get_args(OrderField))
async def test_numbered_pages_have_every_record_once_and_are_never_longer(
    engine: ImportEngine, field: OrderField, ascending: bool
) -> None:
    keys = await fill(engine, with_ties(95))
    wanted = RecordQuery(engine.account_id, "customers", {}, Order(field, ascending=ascending))
    seen: list[str] = []
    async with engine.runtime.database.read() as session:
        for number in count(1):
            page = await list_page(session, wanted, number, limit=10)
            seen += [row["key"] for row in page.rows]
            assert page.total == 95
            assert page.more is (number < 10)
            if not page.more:
                break
    assert len(page.rows) == 5
    assert len(seen) == len(set(seen)) == 95
    assert set(seen) == keys


async def test_records_of_one_moment_stay_on_one_page(engine: ImportEngine) -> None:
    await fill(engine, [BEGAN, *[BEGAN + timedelta(seconds=1)] * 4, BEGAN + timedelta(seconds=2)])
    first = await behind(engine, RecordQuery(engine.account_id, "customers", {}), 2)
    assert (len(first.rows), first.total, first.more) == (5, 6, True)
    last = first.rows[-1]["created_at"]
    second = await behind(engine, RecordQuery(engine.account_id, "customers", {}, cursor=last), 2)
    assert (len(second.rows), second.total, second.more) == (1, 6, False)


async def test_a_page_behind_everything_is_empty_and_still_counts(engine: ImportEngine) -> None:
    await fill(engine, within_a_second(3))
    page = await behind(engine, RecordQuery(engine.account_id, "customers", {}, cursor=BEGAN), 10)
    assert page == Page((), 3, more=False)


async def test_a_cursor_in_another_order_leaves_what_was_created_earlier(engine: ImportEngine) -> None:
    await fill(engine, within_a_second(20))
    at = BEGAN + timedelta(microseconds=12)
    page = await behind(
        engine, RecordQuery(engine.account_id, "customers", {}, Order("source_id", ascending=True), at), 10
    )
    assert (len(page.rows), page.total, page.more) == (10, 20, True)
    assert all(row["created_at"] < at for row in page.rows)


async def test_records_of_other_accounts_and_types_are_neither_shown_nor_counted(engine: ImportEngine) -> None:
    await fill(engine, within_a_second(3))
    await fill(engine, within_a_second(4), type="contacts")
    other = ImportEngine(engine.runtime, (await engine.sql(OTHER))[0]["id"])
    await fill(other, within_a_second(5))
    page = await behind(engine, RecordQuery(engine.account_id, "customers", {}), 10)
    assert (len(page.rows), page.total) == (3, 3)


OTHER = "INSERT INTO accounts (name, created_at) VALUES (gen_random_uuid()::text, now()) RETURNING id"


async def test_numbers_keep_their_digits(engine: ImportEngine) -> None:
    await fill(engine, [BEGAN])
    await engine.sql(
        "UPDATE records SET data = '{\"metadata.n\": 10.00000000000000000001}' WHERE account_id = :id",
        id=engine.account_id,
    )
    page = await behind(engine, RecordQuery(engine.account_id, "customers", {}), 10)
    assert page.rows[0]["data"] == '{"metadata.n": 10.00000000000000000001}'


@pytest.mark.parametrize("ascending", [True, False])
async def test_the_default_order_is_read_off_its_index(engine: ImportEngine, ascending: bool) -> None:
    await fill(engine, within_a_second(20_000))
    # The planner knows which accounts are large (migration 0028), and reads and sorts the records of small ones.
    await execute(engine.runtime.settings.database_url.get_secret_value(), "VACUUM ANALYZE records")
    wanted = RecordQuery(engine.account_id, "customers", {}, Order(ascending=ascending), BEGAN)
    column, order = order_clauses(wanted.order)
    cut = AFTER.format(column=column)
    statement = LISTED.format(where=where_clause(wanted), cursor=cursor_clause(wanted), limit_clause=cut, order=order)
    async with engine.runtime.database.transaction() as session:
        await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
        # The account is most of the table, which is right to be read as a whole where there is no other.
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        await session.execute(text("SET LOCAL enable_bitmapscan = off"))
        found = await session.execute(text(f"EXPLAIN {statement}"), parameters_of(wanted) | {"limit": 100})
        plan = "\n".join(found.scalars())
    page, counted = plan.partition("CTE counted")[::2]
    page = page.partition("CTE page")[2]
    index = r"records_\d_account_id_created\w+" if PARTITIONS else "customers_listed"
    assert re.search(f"Index Scan {'' if ascending else 'Backward '}using {index}", page)
    assert "Sort" not in page
    assert re.search(f"Index Only Scan using {index}", counted)
