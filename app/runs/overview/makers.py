"""What has started runs: people, API keys, schedules and feeds, by the names that people gave them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from app.runs.model import AccountId, Run
from app.storage.database import ReadSession
from app.storage.overview import account_runs

Sort = Literal["key", "person", "schedule", "feed"]


@dataclass(frozen=True, slots=True)
class Maker:
    """`name` may be empty: a key needs no label."""

    id: str
    sort: Sort
    name: str


async def find_makers(session: ReadSession, account_id: AccountId, runs: Iterable[Run]) -> Mapping[str, Maker]:
    """Who or what has started these runs, by the runs' `created_by`; without what has been deleted since."""
    ids = {run.created_by for run in runs if run.created_by}
    if not ids:
        return {}
    found = await account_runs.find_makers(session, account_id, ids)
    return {row["id"]: Maker(row["id"], row["sort"], row["name"]) for row in found}
