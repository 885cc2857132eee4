"""Whatever a file looks like, its dry run counts what its import comes to, and all or nothing is one of both."""

import pytest

from app.declarations.types import declare_type
from app.errors import Refused
from app.runs.holding.held import commit_plan
from app.runs.model import Run
from app.runs.states import State
from tests.corpus.reading import stored
from tests.corpus.ugly import UGLY
from tests.engine.conftest import ImportEngine, law
from tests.support.sweeps import few

QUICK = ("NUL", "blank lines", "ends inside quotes")
FILES = {each.name: each.data for each in UGLY}
THINGS = {
    "key": "no",
    "fields": [{"id": "no", "type": "text"}, {"id": "name", "type": "text"}],
    "unknownColumns": "keep",
}


def count(run: Run) -> tuple[int | None, ...]:
    law(run)
    return (run.total, run.created, run.updated, run.unchanged, run.skipped, run.failed, run.remaining)


@pytest.mark.parametrize("name", few(FILES, QUICK))
async def test_a_dry_run_counts_what_the_import_comes_to(engine: ImportEngine, name: str) -> None:
    data = stored(FILES[name])[0].replace(b"id", b"no", 1)  # `id` is no name of a field
    async with engine.runtime.database.transaction() as session:
        for each in ("planned", "direct", "whole"):
            await declare_type(session, engine.account_id, each, THINGS)
    try:
        direct = await engine.run(data, "direct")
    except Refused as refused:  # nor can it be planned
        with pytest.raises(Refused, match=f"^{refused.detail[:10]}"):
            await engine.run(data, "planned", dry_run=True)
        return
    planned = await engine.run(data, "planned", dry_run=True)
    assert (planned.state, count(planned), await engine.keys("planned")) == (State.PLANNED, count(direct), [])
    assert planned.error_summary == direct.error_summary
    committed = await commit_plan(engine.runtime, engine.runtime.database.transaction(), planned)
    assert count(await engine.finish(committed)) == count(direct)
    assert await engine.keys("planned") == await engine.keys("direct")

    whole = await engine.run(data, "whole", on_error="rollback")
    assert whole.failed == direct.failed
    assert await engine.keys("whole") == ([] if direct.failed else await engine.keys("direct"))
