"""Whatever is done in whatever order: counts, records, plans, results and messages are what they have to be."""

import pytest

from tests.walks.conftest import Service
from tests.walks.walk import Walk


async def walk(service: Service, seed: int, steps: int) -> None:
    made = Walk(service, seed)
    await made.begin()
    try:
        for _ in range(steps):
            await made.step()
        while (run := made.pick(held=False)) is not None:
            made.told.append(f"at the end {run.id}")
            await made.work_on(run)
            await made.compare()
        made.ended.clear()  # whether a run is undone may have changed since it ended
        await made.compare()
        assert await service.list_messages() == {run.id: run.told for run in made.model.runs.values() if run.told}
    except BaseException as error:
        error.add_note(f"seed {seed}\n" + "\n".join(made.told))
        raise


async def test_whatever_is_done_counts_and_records_are_what_they_have_to_be(service: Service) -> None:
    await walk(service, seed=1, steps=45)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 32))
async def test_the_same_for_longer_walks(service: Service, seed: int) -> None:
    await walk(service, seed=seed, steps=150)
