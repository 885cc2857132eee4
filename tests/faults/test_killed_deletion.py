"""An account is deleted while a worker has a run of it, and who erases it is killed: another worker goes on, each row
is counted once, and at the end nothing is left."""

from functools import partial

import pytest

from app.accounts.account import load_account
from app.accounts.deletion import begin_deletion
from app.storage.erasing.parts import count_remaining
from tests.faults.arena import Arena, until
from tests.faults.truth import truth
from tests.support.sweeps import few_or_all

pytestmark = pytest.mark.asyncio

ROWS = 60
NAME = "SELECT name FROM accounts WHERE id = $1"
# At which of its pieces the worker dies: files, records, two of history, the ledger and the run.
PIECES = ("1", "2", "3", "4", "5", "6")


@few_or_all(PIECES, {"2"})
async def test_an_erasure_goes_on_where_a_killed_worker_left_it(arena: Arena, steps: tuple[str, ...]) -> None:
    for nth in steps:
        run = await arena.stored(truth(ROWS, seed=int(nth)), await arena.account(f"deleted-{nth}"))
        first = arena.worker(f"committed:2:wait,AccountErased:{nth}:kill")
        await first.meets_fault()
        (account,) = await arena.ask(NAME, run.account_id)
        async with arena.runtime.database.transaction() as session:
            _, cancelled = await begin_deletion(session, account["name"], account["name"])
        assert [each.id for each in cancelled] == [run.id]
        async with arena.runtime.database.read() as session:
            before = await count_remaining(session, run.account_id)
        assert before["records"] > 12
        first.go_on()
        await first.ended()
        async with arena.runtime.database.read() as session:
            erased = dict((await load_account(session, account["name"])).erased)
            left = await count_remaining(session, run.account_id)
        assert erased.pop("files") == 2
        for counts in (before, erased, left):
            counts.pop("deeds", None)  # what is erased is noted there
        assert {what: erased.get(what, 0) + left.get(what, 0) for what in before} == before

        second = arena.worker()
        await until(partial(is_gone, arena, run.account_id), "the account is not erased")
        await second.stopped()
        records = await arena.ask("SELECT count(*) AS count FROM records WHERE account_id = $1", run.account_id)
        assert records == [{"count": 0}]
        assert await arena.unowned_files() == []


async def is_gone(arena: Arena, account_id: int) -> bool:
    return not await arena.ask(NAME, account_id)
