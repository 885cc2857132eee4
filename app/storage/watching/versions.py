"""The version of a run: a short text that is another one after everything that a poll of the run can show."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import RowMapping, text

from app.storage.database import ReadSession
from app.storage.runs import OPEN

# PostgreSQL itself gives each stored version of a row the number of the transaction that wrote it, so nothing has to be
# kept up to date and nothing can be forgotten. It moves also with what a poll does not show, such as a lease. The place
# in the queue moves with other runs, so it is a part of its own.
VERSIONS: Final = text(f"""
SELECT id, account_id, kind, state, total, finished_at IS NOT NULL AS done, xmin::text AS stored,
    CASE WHEN state = 'queued' THEN (
        SELECT count(*) FROM runs ahead WHERE ahead.account_id = runs.account_id AND ahead.kind = runs.kind
            AND ahead.{OPEN} AND ahead.state = 'queued'
            AND (ahead.created_at, ahead.id) <= (runs.created_at, runs.id)) END AS position,
    relation IN ('retry', 'correction') OR EXISTS (
        SELECT FROM runs child WHERE child.parent_id = runs.id AND child.relation IN ('retry', 'correction')) AS family
FROM runs WHERE id = ANY(:ids) AND pruned_at IS NULL""")


@dataclass(frozen=True, slots=True)
class RunVersion:
    """A run as far as those need it who wait for its next version."""

    account_id: int
    text: str
    kind: str
    state: str
    total: int | None
    done: bool
    has_family: bool  # imports that came of it, or it of them


def join_version(stored: str, position: int | None) -> str:
    """The version of a run whose row has the version `stored`, and which has this place in the queue."""
    return stored if position is None else f"{stored}.{position}"


async def read_versions(session: ReadSession, run_ids: Collection[str]) -> Mapping[str, RunVersion]:
    """The version of each of these runs, of any account, that is kept, by id."""
    found = await session.execute(VERSIONS, {"ids": list(run_ids)})
    return {row["id"]: version_from(row) for row in found.mappings()}


def version_from(row: RowMapping) -> RunVersion:
    return RunVersion(
        row["account_id"],
        join_version(row["stored"], row["position"]),
        row["kind"],
        row["state"],
        row["total"],
        row["done"],
        row["family"] or False,
    )
