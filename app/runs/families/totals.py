"""Adds up an import and the retries and corrections that came of it: how many rows of its file are in by now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.runs.kinds import Kind
from app.runs.model import Relation, Run
from app.storage.database import ReadSession
from app.storage.overview import families

RELATIONS: Final = (Relation.RETRY, Relation.CORRECTION)
Member = Mapping[Any, Any]  # a row of `app.storage.overview.families`


@dataclass(frozen=True, slots=True)
class FamilyTotals:
    """`total` are the rows of the file of the import `first_id`, of which `failed` have not gone in with any of the
    `runs`, which are the first one and all that came of it. `open` of these have not ended."""

    first_id: str
    runs: int
    open: int
    total: int
    failed: int

    @property
    def success(self) -> int:
        return self.total - self.failed


async def read_family(session: ReadSession, run: Run) -> FamilyTotals | None:
    """The family of an import that has ended; None if it is alone."""
    if run.kind is not Kind.IMPORT or not run.done or not (run.failed or run.relation in RELATIONS):
        return None
    members = await families.list_members(session, run.account_id, run.id)
    return add_up(members) if len(members) > 1 else None


def add_up(members: Sequence[Member]) -> FamilyTotals:
    """`members` are in the order of their acceptance, the first import before the others."""
    first, children = members[0], dict[str, list[Member]]()
    for member in members[1:]:
        children.setdefault(member["parent_id"], []).append(member)
    still: dict[str, int] = {}
    for member in reversed(members):  # what came of a run was accepted later
        still[member["id"]] = count_failed(member, children.get(member["id"], ()), still)
    total = first["total"] or 0
    left = still[first["id"]] + total - first["failed"] - first["good"]  # what it has not come to, or not written
    return FamilyTotals(first["id"], len(members), sum(not each["done"] for each in members), total, left)


def count_failed(run: Member, children: Sequence[Member], still: Mapping[str, int]) -> int:
    """How many rows of a run that failed have not gone in since. Children that are `apart` have rows of their own.

    Of corrected files nobody knows which rows they have: one with all of them counts instead of what the others have
    brought in, if it has brought in more; one with some of them counts beside the others, and the same file once."""
    failed: int = run["failed"]
    beside, instead, files = 0, 0, dict[str, int]()
    for child in children:
        went_in = child["good"] + child["failed"] - still[child["id"]]
        if child["apart"]:
            beside += went_in
        elif (child["total"] or 0) >= failed:
            instead = max(instead, went_in)
        else:
            files[child["file_sha256"]] = max(files.get(child["file_sha256"], 0), went_in)
    return max(0, failed - max(instead, beside + sum(files.values())))
