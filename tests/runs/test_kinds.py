"""Every kind of run has its rules, its tasks and its engine, and the database knows the same kinds and steps."""

import re
from pathlib import Path

from app.queue.tasks import TASKS
from app.runs.kinds import KINDS, Kind, Step
from app.storage.claims import WORKABLE
from workers.engines import ENGINES
from workers.tasks import FUNCTIONS

MIGRATIONS = "".join(
    path.read_text() for path in sorted((Path(__file__).resolve().parents[2] / "migrations/versions").glob("*.py"))
)


def words_checked(column: str) -> set[str]:
    """What the newest CHECK allows in a column of `runs`."""
    return set(re.findall(r"'(\w+)'", re.findall(rf"CHECK \({column} IN \(([^)]*)\)\)", MIGRATIONS)[-1]))


def test_every_kind_has_rules_and_an_engine() -> None:
    assert set(KINDS) == set(ENGINES) == set(Kind) == words_checked("kind")


def test_a_worker_claims_exactly_what_it_has_tasks_for() -> None:
    assert set(WORKABLE) == set(TASKS)


def test_every_step_of_a_kind_has_a_task_and_every_task_a_function() -> None:
    assert {kind for kind, _ in TASKS} == set(Kind)
    assert {step for _, step in TASKS} == set(Step) == words_checked("step")
    assert set(FUNCTIONS) == {task.name for task in TASKS.values()}
