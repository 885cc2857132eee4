"""Every state of a run is known wherever states have words: the database, the surfaces, mails, lists."""

import re

from app.deliveries.mail import NEWS
from app.runs.states import ENDED, HELD, NEXT, State
from app.storage.runs import UNFINISHED
from app.surfaces.connectif import vocabulary as connectif
from app.surfaces.cordial import vocabulary as cordial
from app.surfaces.voucherify import vocabulary as voucherify
from tests.engine.conftest import ImportEngine

CHECKS = """SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
WHERE conrelid = 'runs'::regclass AND contype = 'c'"""


def test_every_state_has_its_moves_and_its_words_on_each_surface() -> None:
    tables = (NEXT, connectif.STATUSES, voucherify.STATUSES, voucherify.OPERATION_STATUSES, cordial.STATUSES)
    for table in tables:
        assert set(table) == set(State)
    assert set(NEWS) == ENDED | HELD
    assert set(UNFINISHED) == set(State) - ENDED


def test_no_state_is_a_dead_end_and_none_is_out_of_reach() -> None:
    reached, more = {State.QUEUED}, {State.QUEUED}
    while more := set().union(*(NEXT[state] for state in more)) - reached:
        reached |= more
    assert reached == set(State)
    assert HELD.isdisjoint(ENDED)


async def test_the_database_knows_the_same_states(engine: ImportEngine) -> None:
    checks = {row["conname"]: set(re.findall(r"'(\w+)'", row["definition"])) for row in await engine.sql(CHECKS)}
    assert checks["runs_state_check"] == set(State)
    assert checks["ended_has_a_time"] == ENDED
    assert checks["held_has_a_time"] == HELD
